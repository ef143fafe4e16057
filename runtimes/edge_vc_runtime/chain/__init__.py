"""Stages around the model: clean-up and gate before it, voice controls and limiter after it."""
