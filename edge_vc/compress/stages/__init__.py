"""The stages of `compress`."""
