"""Speech above its band: exemplars for what the pyramid makes, a predicted band for other audio."""
