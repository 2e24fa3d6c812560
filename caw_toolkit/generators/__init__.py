"""Generators: what a scale of a pyramid can be made by. `base` is their interface, `registry` finds them by type."""
