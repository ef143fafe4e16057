"""Bundles installed on a board: beside each other, swapped atomically, rolled back on failure."""
