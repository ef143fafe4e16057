"""Changing a chain's parameters during a run: by keys, and by a socket for other programs."""
