"""Shared parts of all verbs of ``edge-vc``: errors, exit codes, help layout, progress display."""
