"""Display and measurement of a live run: budget, status line, summary, report, metrics."""
