"""Inpainting: missing stretches of a recording filled with its own material (paper, section 4.4)."""
