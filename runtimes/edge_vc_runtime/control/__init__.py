"""Changing a chain's parameters while it runs: keys, and a socket for other programs."""
