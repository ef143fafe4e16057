"""Channel normalisation by a running mean that recovers quickly from loud events."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer, leaf
from edge_vc.nn.running_mean import NATS_PER_DB
from edge_vc.nn.scan import last_frame, scan


class RecoveringMean(StreamingLayer):
    """Subtract from log powers ``[B, C, 1, F]`` in nats their mean over the speech frames.

    Zero is the mean expected of any recording: the running mean starts there, with a weight of
    ``prior_frames`` frames, and has a memory of at most ``memory_frames``. A frame counts if its
    energy, the mean over the channels, is ``above_db`` over a noise floor, the lowest recent
    energy; this threshold is five decibels wide, so that rounding cannot flip a frame. If the
    recent peak of the energy is below the mean's own level, the mean stems from something louder
    that has ended: the memory shrinks to ``recovery_frames``, from three decibels above to three
    below, and the mean falls within a second. Rises of the level are followed slowly, so a
    transient moves the mean little. Cepstral mean normalisation (Atal, 1974) made causal; no
    gradient flows through the mean.
    """

    def __init__(
        self,
        channels: int,
        *,
        prior_frames: int = 30,
        memory_frames: int = 300,
        recovery_frames: int = 20,
        above_db: float = 6.0,
        fall_db: float = 0.3,
        rise_db: float = 0.06,
        quietest_db: float = 20.0,
    ) -> None:
        """Take ``fall_db`` of the peak and ``rise_db`` of the floor in decibels per frame."""
        super().__init__()
        if not 0 < prior_frames < memory_frames:
            raise ValueError(
                f"prior_frames {prior_frames} must be within 1..{memory_frames - 1}, "
                "below memory_frames"
            )
        if not 0 < recovery_frames <= memory_frames:
            raise ValueError(f"recovery_frames {recovery_frames} must be within 1..{memory_frames}")
        self.channels = channels
        self.above, self.edge = above_db * NATS_PER_DB, 5.0 * NATS_PER_DB
        self.fall, self.rise = fall_db * NATS_PER_DB, rise_db * NATS_PER_DB
        self.quietest = -quietest_db * NATS_PER_DB
        # frames weigh up to `edge` instead of one: only the ratio of weights matters
        self.prior, self.memory = prior_frames * self.edge, memory_frames * self.edge
        self.shortest = recovery_frames * self.edge
        self.slope = (self.memory - self.shortest) / (6.0 * NATS_PER_DB)
        self.middle = (self.memory + self.shortest) / 2

    def init_state(self, batch: int) -> State:
        """Return the mean ``[B, C, 1, 1]``; its weight, peak and floor ``[B, 1, 1, 1]``."""
        return {
            "mean": torch.zeros(batch, self.channels, 1, 1),
            "weight": torch.zeros(batch, 1, 1, 1),
            "peak": torch.zeros(batch, 1, 1, 1),
            "floor": torch.zeros(batch, 1, 1, 1),
        }

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Subtract from every frame the mean up to and including that frame."""
        with torch.no_grad():
            energy = x.mean(dim=1, keepdim=True).clamp(min=self.quietest)
            peak = scan(leaf(state, "peak"), energy, self._fall)
            floor = scan(leaf(state, "floor"), energy + self.above, self._rise)
            counts = (energy - floor).clamp(0.0, self.edge)
            weight = scan(leaf(state, "weight"), counts, self._gather)
            mean = self._follow(leaf(state, "mean"), x, counts, weight + self.prior, peak)
        following = {"mean": mean, "weight": weight, "peak": peak, "floor": floor}
        return x - mean, {name: last_frame(value) for name, value in following.items()}

    def _fall(self, peak: Tensor, energy: Tensor, distance: int) -> Tensor:
        return torch.maximum(peak - self.fall * distance, energy)

    def _rise(self, floor: Tensor, energy: Tensor, distance: int) -> Tensor:
        return torch.minimum(floor + self.rise * distance, energy)

    def _gather(self, weight: Tensor, counts: Tensor, _: int) -> Tensor:
        return (weight + counts).clamp(max=self.memory - self.prior)

    def _follow(
        self, mean: Tensor, x: Tensor, counts: Tensor, weight: Tensor, peak: Tensor
    ) -> Tensor:
        """Move ``mean`` ``[B, C, 1, 1]`` towards each frame of ``x`` by its share of the weight."""
        if int(x.shape[-1]) == 1:
            return self._move(mean, x, counts, weight, peak)
        means = []
        frames = (part.split(1, dim=-1) for part in (x, counts, weight, peak))
        for frame in zip(*frames, strict=True):
            mean = self._move(mean, *frame)
            means.append(mean)
        return torch.cat(means, dim=-1)

    def _move(
        self, mean: Tensor, x: Tensor, counts: Tensor, weight: Tensor, peak: Tensor
    ) -> Tensor:
        over = peak - mean.mean(dim=1, keepdim=True)
        memory = (over * self.slope + self.middle).clamp(min=self.shortest)
        rate = counts / torch.minimum(weight, memory)
        return mean + rate * (x - mean)
