"""Several students of one bundle as one converter, changed by a crossfade."""
