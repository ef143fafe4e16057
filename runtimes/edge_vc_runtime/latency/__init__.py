"""Measurement of the real delay from microphone to ear with a test signal."""
