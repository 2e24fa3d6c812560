"""Unconditional generation: new audio of any length from a trained model (paper, section 4.1)."""
