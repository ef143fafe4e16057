"""Channel normalisation by a running mean over the louder log-mel frames."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer, leaf
from edge_vc.nn.scan import last_frame, scan

NATS_PER_DB = 0.2302585
"""One decibel as log power in nats."""


class RunningMean(StreamingLayer):
    """Subtract from log powers ``[B, C, 1, F]`` in nats their mean over the louder frames.

    Zero is the mean expected of any recording: the running mean starts there, with a weight of
    ``prior_frames`` frames, and has a memory of at most ``memory_frames``. A frame counts if its
    energy, the mean over the channels, is within ``gate_db`` of a slowly falling peak; this
    threshold is five decibels wide, so that rounding cannot flip a frame. Cepstral mean
    normalisation (Atal, 1974) made causal; no gradient flows through the mean.
    """

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
        self.channels = channels
        self.gate, self.edge = gate_db * NATS_PER_DB, 5.0 * NATS_PER_DB
        self.fall, self.quietest = fall_db * NATS_PER_DB, -quietest_db * NATS_PER_DB
        # frames weigh up to `edge` instead of one: only the ratio of weights matters
        self.prior, self.memory = prior_frames * self.edge, memory_frames * self.edge

    def init_state(self, batch: int) -> State:
        """Return the mean ``[B, C, 1, 1]``, and its weight and the peak ``[B, 1, 1, 1]``."""
        return {
            "mean": torch.zeros(batch, self.channels, 1, 1),
            "weight": torch.zeros(batch, 1, 1, 1),
            "peak": torch.zeros(batch, 1, 1, 1),
        }

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Subtract from every frame the mean up to and including that frame."""
        with torch.no_grad():
            energy = x.mean(dim=1, keepdim=True)
            peak = self._peaks(energy, leaf(state, "peak"))
            counts = (energy - peak + self.gate).clamp(0.0, self.edge)
            weight = self._weights(counts, leaf(state, "weight"))
            mean = _follow(leaf(state, "mean"), x, counts / (weight + self.prior))
        following = {"mean": mean, "weight": weight, "peak": peak}
        return x - mean, {name: last_frame(value) for name, value in following.items()}

    def _peaks(self, energy: Tensor, peak: Tensor) -> Tensor:
        """Return the falling peak of ``energy`` ``[B, 1, 1, F]`` at every frame."""
        loud = energy.clamp(min=self.quietest)
        return scan(peak, loud, lambda old, new, d: torch.maximum(old - self.fall * d, new))

    def _weights(self, counts: Tensor, weight: Tensor) -> Tensor:
        """Return the weight behind the mean, beyond its prior, at every frame."""
        most = self.memory - self.prior
        return scan(weight, counts, lambda old, new, _: (old + new).clamp(max=most))


def _follow(mean: Tensor, x: Tensor, rate: Tensor) -> Tensor:
    """Move ``mean`` ``[B, C, 1, 1]`` towards each frame of ``x`` by its ``rate``."""
    if int(x.shape[-1]) == 1:
        return mean + rate * (x - mean)
    means = []
    for frame in range(int(x.shape[-1])):
        here = slice(frame, frame + 1)
        mean = torch.addcmul(mean, rate[..., here], x[..., here] - mean)  # lerp exports a compare
        means.append(mean)
    return torch.cat(means, dim=-1)
