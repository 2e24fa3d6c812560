"""Bandwidth extension: the highs that a low-rate recording has lost (paper, section 4.3)."""
