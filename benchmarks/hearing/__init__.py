"""What a listener would notice, as models and measures hear it: features of audio, and distances in them."""
