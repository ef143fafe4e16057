"""The report's page: one HTML file with tables, players, pictures and curves, and no network."""
