"""Data augmentation: effects, time stretching, voice and feature perturbation."""
