"""Reports of an evaluation: JSON, tables with confidence intervals, an HTML page."""
