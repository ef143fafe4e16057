"""One forward pass of a student in training, as the loss terms use it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from torch import Tensor

from edge_vc.models.student.student import Prediction
from edge_vc.training.gan import AdversarialLoss
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.student.batches import DistillBatch
from edge_vc.training.student.contents import VoicesReader
from edge_vc.training.student.recogniser import RecogniserDistance


@dataclass(frozen=True)
class DistillPass:
    """The forward pass on a batch of ``B`` segments: ``W`` warm-up frames, then ``F``.

    The warm-up frames fill the convolutions' contexts and count in no loss.
    """

    batch: DistillBatch
    """Features and the teacher's output, ``W + F`` frames."""
    prediction: Prediction
    """What the head predicts from the trunk's features, ``W + F`` frames."""
    audio: Tensor
    """The student's waveform without the warm-up, ``[B, F * hop]``; empty, ``[B, 0]``, while only
    terms that need no waveform are trained."""
    target: Tensor
    """The teacher's waveform, aligned with it, ``[B, F * hop]``."""
    warm: int
    """Number ``W`` of warm-up frames."""
    spectral: SpectralLoss
    adversarial: AdversarialLoss | None
    """None until the adversarial term starts."""
    reader: VoicesReader | None = None
    """None if contents have no weight."""
    recogniser: RecogniserDistance | None = None
    """None if words have no weight."""
    asked: Tensor | None = None
    """The requested voice and style, ``[B, E]``; None for a student that has neither."""
    log: dict[str, Tensor] = field(default_factory=dict)
    """Scalars for the training log in addition to the terms' own values."""

    @cached_property
    def spectral_distances(self) -> tuple[Tensor, Tensor]:
        """The STFT and mel distances of `audio` from `target`, computed together."""
        return self.spectral.distances(self.audio, self.target)
