"""Bundles that this machine has not seen: checked first, then opened in a process with limits."""
