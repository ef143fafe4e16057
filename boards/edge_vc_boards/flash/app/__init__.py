"""One executable file for a board: runtime, wheels and bundle."""
