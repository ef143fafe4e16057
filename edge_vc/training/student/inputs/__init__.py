"""A student's input features in training, from the recordings and from augmented copies."""
