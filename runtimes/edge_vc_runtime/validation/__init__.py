"""Validation of a machine's output against the exporter's, by replaying golden recordings."""
