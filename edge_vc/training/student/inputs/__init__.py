"""A student's input features in training: of the recordings and of augmented copies of them."""
