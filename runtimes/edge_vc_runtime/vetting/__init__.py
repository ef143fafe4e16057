"""Vetting of bundles unknown to this machine: checked, then opened in a process with limits."""
