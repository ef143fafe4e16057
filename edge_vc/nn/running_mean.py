"""Channel normalisation: a running mean of the louder log-mel frames is subtracted."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer, leaf
from edge_vc.nn.scan import last_frame, scan

NATS_PER_DB = 0.2302585
"""Log power in nats for one decibel."""


class RunningMean(StreamingLayer):
    """Subtract from log powers ``[B, C, 1, F]`` in nats their mean over the louder frames.

    A frame counts while its energy, the mean over the channels, is within ``gate_db`` of a
    slowly falling peak; the edge is five decibels wide, so that rounding cannot flip a frame.
    The mean starts as ``prior`` worth ``prior_frames`` frames and remembers ``memory_frames``
    at most. Cepstral mean normalisation, made causal; no gradient flows through the mean.
    """

    prior: Tensor

    def __init__(
        self,
        channels: int,
        *,
        prior_frames: int = 30,
        memory_frames: int = 300,
        gate_db: float = 25.0,
        fall_db: float = 0.01,
        quietest_db: float = 10.0,
    ) -> None:
        super().__init__()
        if not 0 < prior_frames < memory_frames:
            raise ValueError(
                f"prior_frames {prior_frames} must be within 1..{memory_frames - 1}, "
                "below memory_frames"
            )
        self.prior_frames, self.memory_frames = prior_frames, memory_frames
        self.gate, self.edge = gate_db * NATS_PER_DB, 5.0 * NATS_PER_DB
        self.fall, self.quietest = fall_db * NATS_PER_DB, -quietest_db * NATS_PER_DB
        self.register_buffer("prior", torch.zeros(1, channels, 1, 1))

    def set_prior(self, mean: Tensor) -> None:
        """Set the mean ``[C]`` from which every stream starts; a corpus mean is a good one."""
        if mean.numel() != self.prior.numel():
            raise ValueError(f"prior has {self.prior.numel()} channels, got {mean.numel()}")
        self.prior.copy_(mean.reshape(self.prior.shape))

    def init_state(self, batch: int) -> State:
        """Return the mean's and the peak's distance from the prior, and the frames counted."""
        return {
            "mean": torch.zeros(batch, self.prior.shape[1], 1, 1),
            "count": torch.zeros(batch, 1, 1, 1),
            "peak": torch.zeros(batch, 1, 1, 1),
        }

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Subtract from every frame the mean up to and including it."""
        above = x - self.prior
        with torch.no_grad():
            energy = above.mean(dim=1, keepdim=True)
            peak = self._peaks(energy, leaf(state, "peak"))
            counts = ((energy - peak + self.gate) / self.edge).clamp(0.0, 1.0)
            count = self._counts(counts, leaf(state, "count"))
            rate = counts / (count + self.prior_frames)
            mean = _follow(leaf(state, "mean"), above, rate)
        following = {"mean": mean, "count": count, "peak": peak}
        return above - mean, {name: last_frame(value) for name, value in following.items()}

    def _peaks(self, energy: Tensor, peak: Tensor) -> Tensor:
        """Return the falling peak of ``energy`` ``[B, 1, 1, F]`` at every frame."""
        loud = energy.clamp(min=self.quietest)
        return scan(peak, loud, lambda old, new, d: torch.maximum(old - self.fall * d, new))

    def _counts(self, counts: Tensor, count: Tensor) -> Tensor:
        """Return how many frames the mean stands on beyond its prior, at every frame."""
        most = self.memory_frames - self.prior_frames
        return scan(count, counts, lambda old, new, _: (old + new).clamp(max=most))


def _follow(mean: Tensor, x: Tensor, rate: Tensor) -> Tensor:
    """Move ``mean`` ``[B, C, 1, 1]`` towards each frame of ``x`` by its ``rate``."""
    means = []
    for target, step in zip(x.split(1, dim=-1), rate.split(1, dim=-1), strict=True):
        mean = mean + step * (target - mean)
        means.append(mean)
    return torch.cat(means, dim=-1) if len(means) > 1 else mean
