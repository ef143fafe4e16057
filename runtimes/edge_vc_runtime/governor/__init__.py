"""Keeps a live conversion within real time: more delay, a smaller tier, bypass, and back."""
