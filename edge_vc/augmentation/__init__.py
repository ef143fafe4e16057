"""Training data augmentation: effects, time stretching, voice perturbation, feature augmentation."""
