"""Teachers: anything that converts a recording offline can be used to train a student."""
