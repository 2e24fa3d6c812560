"""Signal processing that knows nothing of models: resampling, the lapped transform, spectrograms, overlap-add."""
