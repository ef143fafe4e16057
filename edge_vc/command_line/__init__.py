"""What every verb of ``edge-vc`` shares: errors, exit codes, help layout, progress display."""
