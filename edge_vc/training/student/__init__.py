"""Distillation: a student learns from labelled recordings."""
