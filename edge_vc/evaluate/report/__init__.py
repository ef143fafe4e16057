"""What an evaluation writes: JSON, tables with confidence intervals, an HTML page."""
