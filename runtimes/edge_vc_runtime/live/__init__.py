"""Hop-by-hop conversion: live, with cards, rings and the inference thread; and of recordings."""
