"""What every verb of ``edge-vc`` shares: error format, exit codes, help layout, progress display."""
