"""Streams of vectors into a live run: a camera, a script, whatever else is known of each hop."""
