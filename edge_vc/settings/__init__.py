"""Settings as data: typed fields with ranges and units, and optional imports."""
