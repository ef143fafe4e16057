"""Training of a voice from its recordings alone: content features in, the recordings out."""
