"""White noise by integer arithmetic that is exact in float32."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer, leaf
from edge_vc.nn.scan import last_frame

STEPS = 2**13
"""Draws are multiples of ``1 / STEPS``; multipliers below 2**11 keep products exact."""
FEW = 8
"""Up to this many frames are drawn one by one, in float32 throughout, as exported graphs need."""


class NoiseSource(StreamingLayer):
    """Generate spectra ``[B, rows, 2, F]`` of white noise, parts uniform within -0.5..0.5.

    Each part has its own linear congruential generator modulo one (Lehmer, 1951; increments
    after Hull and Dobell, 1962, so that every period is the full `STEPS` frames). The input
    ``[B, C, 1, F]`` only determines the number of frames.
    """

    multiplier: Tensor
    increment: Tensor

    def __init__(self, rows: int) -> None:
        super().__init__()
        if rows < 1:
            raise ValueError(f"rows {rows} must be at least 1")
        lane = torch.arange(2 * rows).reshape(1, rows, 2, 1)
        multiplier = 101 + 4 * (lane * 181 % 483)  # 101..2029 and 1 modulo 4, neighbours apart
        increment = 2 * (lane * 2531 % (STEPS // 2)) + 1  # odd, spread by the golden section
        self.register_buffer("multiplier", multiplier.float(), persistent=False)
        self.register_buffer("increment", increment.float() / STEPS, persistent=False)

    def init_state(self, batch: int) -> State:
        """Return ``{"drawn": [B, rows, 2, 1]}``, the last draw within 0..1."""
        return {"drawn": torch.zeros(batch, *self.multiplier.shape[1:])}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Draw one spectrum for every frame of ``x``."""
        drawn = _wrap(leaf(state, "drawn") * self.multiplier + self.increment)
        drawn = self._continue(drawn, int(x.shape[-1]))
        return drawn - (0.5 - 0.5 / STEPS), {"drawn": last_frame(drawn)}

    def _continue(self, drawn: Tensor, frames: int) -> Tensor:
        """Extend one draw to ``frames``: one by one, or doubling (2n steps are n steps twice).

        Both are exact, so they give the same draws.
        """
        if frames <= FEW:
            return self._one_by_one(drawn, frames)
        multiplier, increment = self.multiplier.double(), self.increment.double()
        while int(drawn.shape[-1]) < frames:
            drawn = torch.cat([drawn, _wrap(drawn * multiplier + increment)], dim=-1)
            increment = _wrap(increment * multiplier + increment)
            multiplier = multiplier * multiplier % STEPS
        return drawn[..., :frames].float()

    def _one_by_one(self, drawn: Tensor, frames: int) -> Tensor:
        draws = [drawn]
        for _ in range(frames - 1):
            draws.append(_wrap(draws[-1] * self.multiplier + self.increment))
        return drawn if frames == 1 else torch.cat(draws, dim=-1)


def _wrap(value: Tensor) -> Tensor:
    """Reduce modulo one."""
    return value - torch.floor(value)
