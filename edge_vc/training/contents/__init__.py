"""Distillation of our own content encoder from a larger one."""
