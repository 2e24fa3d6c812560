"""Short licence-clean clips: see README.md in this folder."""
