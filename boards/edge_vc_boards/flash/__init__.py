"""Bundles brought to a board over SSH: checked, installed with a way back, run as a service."""
