"""Audio files in and out: one clip in memory (`clip`), reading, writing, and long files block by block (`blocks`)."""
