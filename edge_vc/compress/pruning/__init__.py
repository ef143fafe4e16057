"""Structured and magnitude pruning, and the target that says how far."""
