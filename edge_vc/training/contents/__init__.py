"""Distils a content encoder of our own from a larger one."""
