"""Many jobs on many cores or machines."""
