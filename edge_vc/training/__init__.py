"""Losses, discriminators and training loops."""
