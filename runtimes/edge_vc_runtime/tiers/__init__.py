"""Several students of one bundle as one converter, switched by a crossfade."""
