"""Settings as data: typed fields with ranges and units, and imports that may be missing."""
