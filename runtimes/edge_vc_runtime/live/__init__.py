"""Converting audio hop by hop."""
