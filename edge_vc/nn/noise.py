"""White noise from integer arithmetic that is exact in float32."""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.nn.layer import State, StreamingLayer, leaf
from edge_vc.nn.scan import last_frame

MODULUS = 4093
"""Prime. Multipliers stay below 1024, so products stay below 2**22, exact in float32."""

MULTIPLIERS = tuple(
    a
    for a in range(100, 1024)
    if all(pow(a, (MODULUS - 1) // factor, MODULUS) != 1 for factor in (2, 3, 11, 31))
)
"""Primitive roots: each walks through all residues but zero before it repeats (4092 frames)."""


class NoiseSource(StreamingLayer):
    """Spectra ``[B, rows, 2, F]`` of white noise: uniform parts of mean 0 and variance 1.

    One multiplicative congruential generator (Lehmer, 1951) per part, each with its own
    multiplier or seed, kept within ``-MODULUS / 2..MODULUS / 2``. The input ``[B, C, 1, F]``
    only says how many frames are wanted. The state is the distance from the seed, hence zero
    at first.
    """

    multiplier: Tensor
    seed: Tensor

    def __init__(self, rows: int) -> None:
        super().__init__()
        if rows < 1:
            raise ValueError(f"rows {rows} must be at least 1")
        lane = torch.arange(2 * rows).reshape(1, rows, 2, 1)
        seed = 1 + (lane + 1) * 2531 % (MODULUS - 1)  # the golden section of the residues
        multiplier = torch.tensor(MULTIPLIERS)[lane % len(MULTIPLIERS)]
        self.register_buffer("seed", _centre(seed.float()), persistent=False)
        self.register_buffer("multiplier", multiplier.float(), persistent=False)

    def init_state(self, batch: int) -> State:
        """Return ``{"offset": [B, rows, 2, 1]}``."""
        return {"offset": torch.zeros(batch, *self.seed.shape[1:])}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Draw one spectrum for every frame of ``x``."""
        offset = leaf(state, "offset")
        drawn = _centre(offset * self.multiplier + self.multiplier * self.seed)
        frames = int(x.shape[-1])
        while int(drawn.shape[-1]) < frames:
            drawn = torch.cat([drawn, self._jump(drawn)], dim=-1)[..., :frames]
        following: State = {"offset": last_frame(drawn) - self.seed}
        return drawn * (12.0**0.5 / MODULUS), following

    def _jump(self, drawn: Tensor) -> Tensor:
        """Return the frames that follow ``drawn``, as many as it has, by exact integers."""
        power = [pow(int(a), int(drawn.shape[-1]), MODULUS) for a in self.multiplier.flatten()]
        by = torch.tensor(power).reshape(self.multiplier.shape)
        return _centre(drawn.double() * by).float()


def _centre(residue: Tensor) -> Tensor:
    """Reduce integers modulo `MODULUS` into the range around zero."""
    return residue - MODULUS * torch.round(residue * (1.0 / MODULUS))
