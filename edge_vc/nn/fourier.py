"""Real Fourier transforms of frames, in two small stages instead of one large matrix.

A frame of 512 samples costs 35 k multiplications and 18 k constants this way; the plain matrix
takes 263 k of each, and its constants alone would fill a small board's cache. The same algorithm
handles one frame or many: frames stay in the last axis throughout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Split:
    """A transform of ``size`` real samples as ``rows * columns`` (Cooley and Tukey, 1965).

    With sample index ``columns * i + j`` and frequency ``g + rows * m``, one stage sums over ``i``
    for each group ``g``, the other over ``j`` for each ``m``. For real input the groups past
    ``rows / 2`` are mirror images of the others and are left out, and frequencies past
    ``size / 2`` represent the conjugate of bin ``size - k``.
    """

    size: int
    rows: int

    @classmethod
    def cheapest(cls, size: int) -> Split:
        """Return the split with the fewest multiplications; ``size`` even, at least 4."""
        if size < 4 or size % 2:
            raise ValueError(f"transform size {size} must be even and at least 4")
        rows = [r for r in range(2, size // 2 + 1) if size % r == 0]
        return min((cls(size, r) for r in rows), key=lambda split: split.multiplications)

    @property
    def columns(self) -> int:
        """Samples per row, and frequencies per group."""
        return self.size // self.rows

    @property
    def groups(self) -> int:
        """Residues of the frequency modulo `rows` that are computed."""
        return self.rows // 2 + 1

    @property
    def multiplications(self) -> int:
        """Real multiplications per frame."""
        return 2 * self.groups * self.size + 4 * self.groups * self.columns**2

    def frequencies(self) -> Tensor:
        """Return the frequency of every output row, group by group: ``[groups, columns]``."""
        group, m = torch.arange(self.groups), torch.arange(self.columns)
        return group[:, None] + self.rows * m

    def bins(self) -> tuple[int, ...]:
        """Return the bin ``0..size / 2`` that each output row holds, -1 if it is a repeat."""
        frequencies = self.frequencies().flatten()
        bins = torch.minimum(frequencies, self.size - frequencies).tolist()
        return tuple(k if k not in bins[:row] else -1 for row, k in enumerate(bins))


def _turn(turns: Tensor) -> Tensor:
    """Return ``exp(2 pi i turns)`` as complex double."""
    return torch.polar(torch.ones_like(turns, dtype=torch.float64), 2 * math.pi * turns.double())


class RealDFT(nn.Module):
    """Transform frames ``[B, size, 1, F]`` to spectra ``[B, rows, 2, F]``, real and imaginary.

    Row ``r`` holds bin ``bins[r]``; rows marked -1 repeat another bin. Every frame is first
    multiplied by ``window`` ``[size]``.
    """

    window: Tensor
    first: Tensor
    second: Tensor

    def __init__(self, window: Tensor) -> None:
        super().__init__()
        size = window.numel()
        self.split = Split.cheapest(size)
        self.bins = self.split.bins()
        rows, columns, groups = self.split.rows, self.split.columns, self.split.groups
        turns = torch.arange(groups)[:, None] * torch.arange(rows) / rows
        first = torch.view_as_real(_turn(-turns)).permute(0, 2, 1)  # group, part, i
        frequencies = self.split.frequencies()
        second = _turn(-frequencies[:, :, None] * torch.arange(columns) / size)  # group, m, j
        mirror = torch.where(frequencies > size // 2, -1.0, 1.0)[:, :, None]
        real = torch.stack([second.real, -second.imag], dim=2)
        imaginary = torch.stack([second.imag, second.real], dim=2) * mirror[..., None]
        second = torch.stack([real, imaginary], dim=2)  # group, m, part out, part in, j
        self.register_buffer("window", window.reshape(rows, columns, 1), persistent=False)
        self.register_buffer("first", first.reshape(-1, rows, 1, 1).float(), persistent=False)
        self.register_buffer(
            "second",
            second.reshape(groups * columns * 2, 2 * columns, 1, 1).float(),
            persistent=False,
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Transform every frame; no scaling, as in ``numpy.fft.rfft``."""
        split, count = self.split, int(frames.shape[-1])
        grid = frames.reshape(-1, split.rows, split.columns, count)
        partial = functional.conv2d(grid * self.window, self.first)
        partial = partial.reshape(-1, split.groups * 2 * split.columns, 1, count)
        spectra = functional.conv2d(partial, self.second, groups=split.groups)
        return spectra.reshape(-1, len(self.bins), 2, count)


class InverseRealDFT(nn.Module):
    """Transform spectra ``[B, rows, 2, F]``, rows as in `RealDFT`, to frames ``[B, size, 1, F]``.

    Rows marked -1 in ``bins`` and the imaginary parts of the two real bins are ignored. Every
    frame is finally multiplied by ``window`` ``[size]``.
    """

    window: Tensor
    first: Tensor
    second: Tensor

    def __init__(self, window: Tensor) -> None:
        super().__init__()
        size = window.numel()
        self.split = Split.cheapest(size)
        self.bins = self.split.bins()
        rows, columns, groups = self.split.rows, self.split.columns, self.split.groups
        frequencies = self.split.frequencies()
        bins = torch.tensor(self.bins).reshape(groups, columns)
        weight = torch.where((bins == 0) | (bins == size // 2), 1.0, 2.0) * (bins >= 0) / size
        mirror = torch.where(frequencies > size // 2, -1.0, 1.0)
        turns = frequencies[:, None, :] * torch.arange(columns)[:, None] / size
        first = _turn(turns) * weight[:, None, :]  # group, j, m
        from_imaginary = first * 1j * mirror[:, None, :]
        stages = torch.stack([first, from_imaginary], dim=-1)  # group, j, m, part in
        stages = torch.stack([stages.real, stages.imag], dim=1)  # group, part out, j, m, part in
        turns = torch.arange(rows)[:, None] * torch.arange(groups) / rows
        second = _turn(turns)  # i, group
        second = torch.stack([second.real, -second.imag], dim=-1)  # i, group, part
        self.register_buffer("window", window.reshape(rows, columns, 1), persistent=False)
        self.register_buffer(
            "first",
            stages.reshape(groups * 2 * columns, columns * 2, 1, 1).float(),
            persistent=False,
        )
        self.register_buffer("second", second.reshape(rows, -1, 1, 1).float(), persistent=False)

    def forward(self, spectra: Tensor) -> Tensor:
        """Transform every spectrum, scaled as in ``numpy.fft.irfft``."""
        split, count = self.split, int(spectra.shape[-1])
        rows = spectra.reshape(-1, 2 * len(self.bins), 1, count)
        partial = functional.conv2d(rows, self.first, groups=split.groups)
        grid = partial.reshape(-1, 2 * split.groups, split.columns, count)
        frames = functional.conv2d(grid, self.second) * self.window
        return frames.reshape(-1, split.size, 1, count)
