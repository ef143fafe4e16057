"""The student network: configuration, front end, trunk, heads and its file."""
