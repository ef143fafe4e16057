"""The report's page: one offline HTML file with tables, players, images and curves."""
