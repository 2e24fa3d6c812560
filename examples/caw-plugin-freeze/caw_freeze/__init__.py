"""A moment of a clip held for ever, as a plugin for caw_toolkit."""
