"""The student network: configuration, front end, trunk, heads and file format."""
