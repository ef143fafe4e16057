"""What a live run shows and measures: budget, refreshing line, summary, report, metrics."""
