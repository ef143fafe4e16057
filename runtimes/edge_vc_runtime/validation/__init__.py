"""Does a machine convert as the exporter did: golden recordings replayed, with what differs."""
