"""Variations of a song: its structure, new detail (paper, section 4.2)."""
