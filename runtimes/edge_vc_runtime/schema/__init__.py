"""Reading JSON from strangers: typed fields and records with limits."""
