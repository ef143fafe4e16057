"""Profiling: timing, pacing, memory, report."""
