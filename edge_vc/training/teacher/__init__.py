"""Training of the default teacher: dataset, losses, trainer, validation."""
