"""Files that are written: checked before the work, whole or not there after it."""
