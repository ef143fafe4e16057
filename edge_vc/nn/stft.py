"""Causal short-time Fourier transform and its inverse by overlap-add."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import torch
from torch import Tensor

from edge_vc.nn.delay import shift_in
from edge_vc.nn.fourier import InverseRealDFT, RealDFT
from edge_vc.nn.framing import hops, windows
from edge_vc.nn.layer import State, StreamingLayer, leaf

WindowKind = Literal["hann", "sine"]
"""Periodic Hann, or its square root, whose square overlap-adds to one at a hop of half a window."""


def make_window(kind: WindowKind, size: int) -> Tensor:
    """Return a window ``[size]`` of this kind; raises `ValueError` for an unknown one."""
    if kind not in ("hann", "sine"):
        raise ValueError(f"window {kind!r} is not one of 'hann', 'sine'")
    sine = torch.sin(torch.pi * (torch.arange(size, dtype=torch.float64) + 0.5) / size)
    return (sine if kind == "sine" else sine**2).float()


class CausalSTFT(StreamingLayer):
    """Transform audio ``[B, 1, 1, T]`` to spectra ``[B, rows, 2, T / hop]``, real and imaginary.

    Each window ends on its hop's last sample, so there is no look-ahead. ``bins[r]`` is the
    frequency bin of row ``r``: the rows keep the transform's own order.
    """

    def __init__(self, window: int, hop: int, kind: WindowKind = "hann") -> None:
        super().__init__()
        if not 1 <= hop <= window:
            raise ValueError(f"hop {hop} must be within 1..{window}, the window")
        self.window, self.block, self.ratio = window, hop, Fraction(1, hop)
        self.transform = RealDFT(make_window(kind, window))
        self.bins = self.transform.bins

    def init_state(self, batch: int) -> State:
        """Return ``{"context": [B, 1, 1, window - hop]}``."""
        if self.window == self.block:
            return {}
        return {"context": torch.zeros(batch, 1, 1, self.window - self.block)}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Transform every hop of ``x`` together with the stored samples before it."""
        self.check_block(x)
        if self.window == self.block:
            line, following = x, State()
        else:
            line = torch.cat([leaf(state, "context"), x], dim=-1)
            following = {"context": line[..., self.block - self.window :]}
        frames = windows(line, self.window, self.block)
        spectra: Tensor = self.transform(frames)
        return spectra, following


class CausalISTFT(StreamingLayer):
    """Transform spectra ``[B, rows, 2, F]`` to audio ``[B, 1, 1, F * hop]``, by overlap-add.

    The output is delayed by ``window - hop`` samples. The synthesis window exactly inverts an
    analysis with the same window (Griffin and Lim, 1984). Rows are in the order of the
    `CausalSTFT` of the same window.
    """

    def __init__(self, window: int, hop: int, kind: WindowKind = "sine") -> None:
        super().__init__()
        if hop < 1 or window % hop:
            raise ValueError(f"window {window} must be a multiple of the hop {hop}")
        self.hop, self.overlap = hop, window // hop
        self.ratio, self.delay = Fraction(hop), window - hop
        analysis = make_window(kind, window).double()
        gain = (analysis**2).reshape(self.overlap, hop).sum(dim=0).repeat(self.overlap)
        self.transform = InverseRealDFT((analysis / gain).float())
        self.bins = self.transform.bins

    def init_state(self, batch: int) -> State:
        """Return ``{"tail0": [B, 1, 1, hop], ...}``, one partial sum for each pending hop."""
        tails = range(self.overlap - 1)
        return {f"tail{hop}": torch.zeros(batch, 1, 1, self.hop) for hop in tails}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Transform, window and overlap-add every frame of ``x``."""
        *earlier, y = hops(self.transform(x), self.overlap)
        following: State = {}
        for tail in reversed(range(self.overlap - 1)):
            late, following[f"tail{tail}"] = shift_in(leaf(state, f"tail{tail}"), y)
            y = earlier[tail] + late
        return y, {name: following[name] for name in sorted(following)}
