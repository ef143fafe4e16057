"""Streams of vectors into a live run: from a camera, a script or any other source."""
