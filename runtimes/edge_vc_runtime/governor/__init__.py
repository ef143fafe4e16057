"""Keeps a live conversion in time: more delay, a smaller tier, bypass, and back."""
