"""Distillation: a student is trained on labelled recordings."""
