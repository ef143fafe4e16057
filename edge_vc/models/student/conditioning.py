"""How a student's conditioning inputs act on its trunk and its head."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor, nn

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.head import Prediction
from edge_vc.models.student.inputs import trunk_inputs
from edge_vc.nn import FollowingMean, State, StreamingLayer

FILM = "film"
MEMORY_SECONDS = 2.0
"""Duration of voiced frames in the running mean pitch around which `intonation` scales."""
SEMITONE = math.log(2) / 12
"""A semitone in nats of frequency."""
NEPERS_PER_DB = math.log(10) / 20


def film_sizes(config: StudentConfig) -> tuple[int, ...]:
    """Return the channels of each feature-wise modulation of the trunk, first to last."""
    return (*(config.channels for _ in range(len(config.hidden) + 1)), config.outputs)


def condition_size(config: StudentConfig) -> int:
    """Return how many numbers condition the trunk; 0 if none do."""
    return sum(spec.size for spec in trunk_inputs(config.inputs))


class Modulation(nn.Module):
    """Maps the trunk's inputs ``[B, E, 1, F]`` to gains and shifts of its features (FiLM).

    After Perez et al., 2018. It is linear, so that a blend of voices gives values between theirs,
    and zero before training, so that a student to which inputs are added converts as before.
    """

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        size = 2 * sum(film_sizes(config))
        self.linear = nn.Conv2d(condition_size(config), size, 1, bias=False)
        nn.init.zeros_(self.linear.weight)

    def forward(self, condition: Tensor) -> Tensor:
        """Return ``[B, 2 * sum(film_sizes), 1, F]``: gain minus one and shift for each place."""
        y: Tensor = self.linear(condition)
        return y


class PitchControl(StreamingLayer):
    """Applies the inputs ``pitch`` and ``intonation`` to log F0.

    The signal is ``[B, 4, 1, F]``: log F0, voicing within 0..1, semitones, scale. With 0 semitones
    and a scale of 1, log F0 is unchanged, bit for bit.
    """

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.middle = math.log(config.target_f0_hz)
        self.mean = FollowingMean(MEMORY_SECONDS * config.frame_rate)

    def init_state(self, batch: int) -> State:
        """Return the state of the running mean."""
        return {"mean": self.mean.init_state(batch)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Apply the inputs to the frames ``x``."""
        log_f0, voicing, semitones, times = torch.split(x, 1, dim=1)
        own = state["mean"]
        assert isinstance(own, dict)
        deviation = log_f0 - self.middle
        mean, following = self.mean.step(torch.cat([deviation, voicing], dim=1), own)
        wider = (times - 1) * (deviation - mean)
        return log_f0 + (wider + semitones * SEMITONE), {"mean": following}


def with_breath(prediction: Prediction, decibels: Tensor) -> Prediction:
    """Return a prediction whose noise is raised by ``decibels`` ``[B, 1, 1, F]``.

    The bands are interpolated with weights that add up to one, so an offset to all bands is an
    offset to every frequency.
    """
    filters = int(prediction.bands.shape[2])
    noise = torch.zeros(1, 1, filters, 1, device=prediction.bands.device)
    noise[:, :, 1] = NEPERS_PER_DB
    return replace(prediction, bands=prediction.bands + decibels * noise)


def spread(value: Tensor, like: Tensor) -> Tensor:
    """Repeat an input ``[B or 1, E, 1, F or 1]`` over the batch and the frames of ``like``."""
    batch, frames = int(like.shape[0]), int(like.shape[-1])
    if (int(value.shape[0]), int(value.shape[-1])) == (batch, frames):
        return value
    return value.expand(batch, -1, 1, frames)
