"""One forward pass of a student in training, as loss terms see it."""

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
    """What a student makes of a batch of ``B`` segments: ``W`` warm-up frames, then ``F``.

    The frames of the warm-up fill the convolutions' contexts and count in no loss.
    """

    batch: DistillBatch
    """Features and the teacher's answer, ``W + F`` frames."""
    prediction: Prediction
    """What the head reads off the trunk, ``W + F`` frames."""
    audio: Tensor
    """The student's waveform without the warm-up, ``[B, F * hop]``; empty, ``[B, 0]``, while only
    what needs no sound is learnt."""
    target: Tensor
    """The teacher's, aligned with it, ``[B, F * hop]``."""
    warm: int
    """Frames ``W`` of the warm-up."""
    spectral: SpectralLoss
    adversarial: AdversarialLoss | None
    """None until the adversarial term starts."""
    reader: VoicesReader | None = None
    """None where contents have no weight."""
    recogniser: RecogniserDistance | None = None
    """None where words have no weight."""
    asked: Tensor | None = None
    """The voice and the style that were asked for, ``[B, E]``; None of a student without any."""
    log: dict[str, Tensor] = field(default_factory=dict)
    """Scalars for the training log besides the terms' own values."""

    @cached_property
    def spectral_distances(self) -> tuple[Tensor, Tensor]:
        """The STFT and the mel distance of `audio` to `target`, computed together."""
        return self.spectral.distances(self.audio, self.target)
