"""Where every millisecond goes: timing, pacing, memory, report."""
