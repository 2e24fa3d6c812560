"""The pyramid: a recording at several rates, the noise, and the trained model that renders them to audio."""
