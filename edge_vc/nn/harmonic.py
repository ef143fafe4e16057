"""A pulse train whose phase is bit-identical on every engine."""

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

GRID = 2**14
"""F0 is rounded to ``sample_rate / GRID`` Hz: 0.98 Hz at 16 kHz, at most 4 cents off at 200 Hz.

Engines whose F0 differs in the last bits round it differently in about one frame in 8,000, and
keep that phase difference from then on; a finer grid makes this more frequent, not more exact."""

LOWEST_HZ, HIGHEST_HZ = 50.0, 500.0
"""F0 is clipped to this range."""

WIDTH = 0.8
"""Standard deviation of a pulse in samples: 15 dB down at three quarters of the band, where
aliases from beyond half the sample rate are another 27 dB lower."""
_AREA = WIDTH * math.sqrt(2 * math.pi)
"""Area of a pulse of height one, in samples."""


class HarmonicSource(StreamingLayer):
    """Map F0 ``[B, 1, 1, F]`` in Hz to zero-mean pulses ``[B, 1, 1, F * hop]`` of height one.

    Pulses are Gaussian in time, which makes them almost band-limited at a fraction of the cost of
    a sum of harmonics. Their mean is subtracted: a filter estimated from speech is undefined below
    F0, where the mean would cause rumble. F0 glides linearly from one frame to the next. It is
    first clipped to 50..500 Hz and rounded to a grid, and so is the glide: every phase is then a
    sum of integers below ``2**24``, up to a power of two, which float32 adds exactly in any order,
    so the oscillators of different engines do not drift apart.
    """

    glide: Tensor
    width: Tensor

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
        width = torch.tensor(GRID / (WIDTH * 2**0.5))
        self.register_buffer("width", width, persistent=False)

    def init_state(self, batch: int) -> State:
        """Return the last F0 in grid steps and the last phase in cycles, ``[B, 1, 1, 1]``."""
        return {"f0": torch.zeros(batch, 1, 1, 1), "phase": torch.zeros(batch, 1, 1, 1)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Generate the pulses for the F0 frames ``x``."""
        now = torch.round(x.clamp(LOWEST_HZ, HIGHEST_HZ) * (GRID / self.sample_rate))
        before, last = shift_in(leaf(state, "f0"), now)
        start = self._starts(before, now, leaf(state, "phase"))
        cycles = functional.conv2d(torch.cat([before, now, start], dim=1), self.glide)
        cycles = _wrap(cycles)
        distance = cycles * torch.div(self.width, now)
        pulses = torch.exp(-(distance * distance)) - now * (_AREA / GRID)
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
    """Return how finely a glide over ``cycles`` can be divided with its phases staying exact."""
    bits = math.floor(24 - math.log2(GRID * (cycles + 0.5)))
    if bits < 1:
        raise ValueError(f"a hop of {cycles:.0f} cycles at 500 Hz is too long: shorten the hop")
    return 1 << bits


def _wrap(cycles: Tensor) -> Tensor:
    """Remove whole cycles: the phase within -0.5..0.5, negative before a pulse, positive after."""
    return cycles - torch.round(cycles)
