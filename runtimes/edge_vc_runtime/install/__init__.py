"""Installation of bundles on a board: side by side, switched atomically, rolled back on failure."""
