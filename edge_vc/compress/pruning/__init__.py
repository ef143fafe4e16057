"""Structured and magnitude pruning, and the target cost."""
