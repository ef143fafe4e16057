"""Processing stages: clean-up and gate before the model, voice controls and limiter after it."""
