"""A coarsest scale by linear prediction, as a plugin for caw_toolkit."""
