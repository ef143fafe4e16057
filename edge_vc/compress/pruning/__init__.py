"""Structured and magnitude pruning, and the budget that says how far."""
