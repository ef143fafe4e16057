"""Training of a voice from its recordings alone: contents in, the recordings out."""
