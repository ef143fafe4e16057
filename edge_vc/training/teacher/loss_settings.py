"""Settings of the teacher's loss terms and of its discriminators."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LossSettings:
    """Weights of the loss terms, by the names in `losses.TERMS`; 0 switches a term off."""

    spectral: float = 1.0
    """Multi-resolution STFT and log-mel distance of paired crops from their recordings."""
    adversarial: float = 0.3
    """Least-squares adversarial loss of the target's paired crops and of converted ones."""
    matching: float = 0.6
    """Feature matching: L1 of the discriminators' feature maps, the target's paired crops."""
    invariance: float = 0.0
    """Distance between the contents of two augmented copies of a crop, over their variation."""
    consistency: float = 0.0
    """The same between an unpaired crop and its conversion."""
    phones: float = 0.0
    """Cross-entropy of the phones that a classifier reads off the contents, of all crops."""
    adversarial_from: float = 0.4
    """Share of the budget after which the discriminators, and unpaired crops, take part."""
    adversarial_frames: int = 96
    """Frames of each crop that the discriminators see."""
    discriminator_rate: float = 0.5
    """Ratio of the discriminators' learning rate to the network's."""

    @property
    def uses_discriminators(self) -> bool:
        """Whether any term needs them."""
        return bool(self.adversarial or self.matching)
