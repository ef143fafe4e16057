"""A band-limited pulse train whose phase every engine computes to the same bit."""

from __future__ import annotations

import math
from fractions import Fraction

import torch
from torch import Tensor
from torch.nn import functional

from edge_vc.nn.delay import shift_in
from edge_vc.nn.framing import to_audio
from edge_vc.nn.layer import State, StreamingLayer, leaf
from edge_vc.nn.scan import last_frame, scan

GRID = 2**15
"""F0 is rounded to ``sample_rate / GRID`` Hz (0.49 Hz at 16 kHz)."""

LOWEST_HZ, HIGHEST_HZ = 50.0, 500.0


class HarmonicSource(StreamingLayer):
    """F0 ``[B, 1, 1, F]`` in Hz to a pulse train ``[B, 1, 1, F * hop]`` of unit power.

    All harmonics below half the sample rate have equal amplitude. F0 glides linearly from one
    frame to the next. It is clipped to 50..500 Hz and rounded to a grid first, and so is the
    glide: every phase is then a sum of integers below ``2**24`` up to a power of two, which
    float32 adds exactly in any order, so no engine's oscillator drifts from another's.
    """

    glide: Tensor

    def __init__(self, sample_rate: int, hop: int) -> None:
        super().__init__()
        if hop < 1 or sample_rate < 1000:
            raise ValueError(f"hop {hop} and sample_rate {sample_rate} Hz are too small")
        self.hop, self.sample_rate, self.ratio = hop, sample_rate, Fraction(hop)
        after = torch.arange(1, hop + 1, dtype=torch.float64)
        fine = _steps(hop / sample_rate * HIGHEST_HZ)
        arrived = torch.round(after * (after + 1) / (2 * hop) * fine) / fine
        glide = torch.stack([(after - arrived) / GRID, arrived / GRID, torch.ones(hop)], dim=1)
        self.register_buffer("glide", glide.float()[:, :, None, None], persistent=False)

    def init_state(self, batch: int) -> State:
        """Return the last F0 in grid steps and the last phase in cycles, ``[B, 1, 1, 1]``."""
        return {"f0": torch.zeros(batch, 1, 1, 1), "phase": torch.zeros(batch, 1, 1, 1)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Sound the pulses of the frames of F0 ``x``."""
        now = torch.round(x.clamp(LOWEST_HZ, HIGHEST_HZ) * (GRID / self.sample_rate))
        before, last = shift_in(leaf(state, "f0"), now)
        start = self._starts(before, now, leaf(state, "phase"))
        cycles = functional.conv2d(torch.cat([before, now, start], dim=1), self.glide)
        cycles = _wrap(cycles)
        pulses = pulse_train(cycles, torch.maximum(before, now) / GRID)
        return to_audio(pulses), {"f0": last, "phase": last_frame(cycles)[:, -1:]}

    def _starts(self, before: Tensor, now: Tensor, phase: Tensor) -> Tensor:
        """Return the phase ``[B, 1, 1, F]`` in cycles at which every frame starts."""
        if int(now.shape[-1]) == 1:
            return phase
        pairs = torch.cat([before, now], dim=1)[..., :-1]
        advance = functional.conv2d(pairs, self.glide[-1:, :2])
        ends = scan(phase, advance, lambda earlier, later, _: _wrap(earlier + later))
        return torch.cat([phase, ends], dim=-1)


def _steps(cycles: float) -> int:
    """Return how finely a glide over ``cycles`` may be divided for its phases to stay exact."""
    bits = math.floor(24 - math.log2(GRID * (cycles + 0.5)))
    if bits < 1:
        raise ValueError(f"a hop of {cycles:.0f} cycles at 500 Hz is too long: shorten the hop")
    return 1 << bits


def _wrap(cycles: Tensor) -> Tensor:
    return cycles - torch.round(cycles)


def pulse_train(cycles: Tensor, f0: Tensor) -> Tensor:
    """Sum all cosines below half the sample rate at phase ``cycles`` (-0.5..0.5), unit power.

    ``f0`` is in cycles per sample. The sum is Dirichlet's kernel in closed form, as in
    Stilson and Smith's band-limited impulse train (1996); it is even, so the phase's sign is
    dropped, and a phase of zero is moved off the removable singularity.
    """
    angle = cycles.abs().clamp(min=1e-6) * torch.pi
    harmonics = torch.floor(0.5 / f0)
    kernel = torch.sin(angle * (2 * harmonics + 1)) / torch.sin(angle) - 1
    return kernel * torch.sqrt(f0)
