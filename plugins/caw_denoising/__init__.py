"""Denoising: a recording's own repetitions tell its sound from its noise (paper, section 4.5)."""
