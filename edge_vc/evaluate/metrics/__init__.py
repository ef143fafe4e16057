"""Metrics of converted speech, one file each."""
