"""Output files: checked before the work, written atomically."""
