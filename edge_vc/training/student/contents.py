"""Content loss on the trunk: a linear layer that does not ship predicts the teacher's contents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from edge_vc.labelling.labels import LabelledAudio

SHARPNESS = 4.0
"""Of soft units: how much closer a centre must be to be twice as likely, per unit of variance."""
_ROUNDS = 12
_FRAMES = 20_000


class ContentsReader(nn.Module):
    """Maps trunk features ``[B, outputs, 1, F]`` to contents, or to the logits of soft units.

    Contents are scaled to unit variance over the training set, so the error of an untrained reader
    is about one.
    """

    mean: Tensor
    scale: Tensor
    centres: Tensor

    def __init__(self, outputs: int, contents: Tensor, units: int = 0, seed: int = 0) -> None:
        """Take contents of the training set ``[N, C]``; with ``units`` 0, regress to them."""
        super().__init__()
        width = int(contents.shape[1])
        self.register_buffer("mean", contents.mean(0))
        self.register_buffer("scale", contents.std(0).clamp_min(1e-3))
        scaled = (contents - self.mean) / self.scale
        centres = soft_units(scaled, units, seed) if units else torch.zeros(0, width)
        self.register_buffer("centres", centres)
        self.linear = nn.Conv2d(outputs, units or width, 1)

    def forward(self, features: Tensor, contents: Tensor) -> Tensor:
        """Return the error of predicting ``contents`` ``[B, C, 1, F]`` from ``features``.

        That is the mean squared error of scaled contents, or the cross-entropy to soft units in
        nats, less that of a perfect prediction.
        """
        guess: Tensor = self.linear(features)
        scaled = (contents - _column(self.mean)) / _column(self.scale)
        if not len(self.centres):
            return (guess - scaled).square().mean()
        truth = self.units(scaled)
        surprise = -(truth * guess.log_softmax(1)).sum(1)
        certain = -(truth * truth.clamp_min(1e-9).log()).sum(1)
        return (surprise - certain).mean()

    def units(self, scaled: Tensor) -> Tensor:
        """Return the probability of each unit, ``[B, units, 1, F]``."""
        rows = scaled[:, :, 0].transpose(1, 2)
        distance = torch.cdist(rows, self.centres[None].expand(len(rows), -1, -1)).square()
        nearer = -SHARPNESS * distance / self.centres.shape[1]
        return nearer.softmax(-1).transpose(1, 2)[:, :, None]


class VoicesReader(nn.Module):
    """A `ContentsReader` for each voice, since every teacher has its own bottleneck."""

    def __init__(self, readers: Sequence[ContentsReader]) -> None:
        """Take the readers in the order of the student's voices."""
        super().__init__()
        self.readers = nn.ModuleList(readers)

    def forward(self, features: Tensor, contents: Tensor, voice: Tensor | None = None) -> Tensor:
        """Return the mean loss over rows; ``voice`` ``[B, voices, ...]`` is one-hot, None: one."""
        told = torch.zeros(len(features), dtype=torch.long, device=features.device)
        if voice is not None:
            told = voice.flatten(2)[..., 0].argmax(1)
        total: Tensor = features.new_zeros(())
        for index, reader in enumerate(self.readers):
            rows = told == index
            if rows.any():
                share = rows.float().mean()
                total = total + share * reader(features[rows], contents[rows])
        return total


def reader_for(
    outputs: int,
    examples: Sequence[LabelledAudio],
    units: int,
    seed: int,
    voices: Sequence[int] = (),
) -> VoicesReader:
    """Return a reader of the contents in ``examples``, whose voices have the numbers ``voices``.

    Empty ``voices`` mean a single voice. Raises `ValueError` if an example has no contents or if
    their widths differ.
    """
    if not all(len(example.contents) for example in examples):
        raise ValueError(
            "contents: these labels do not say what is said; label again with a teacher of this "
            "project's (shipped, or of `edge-vc train teacher`), or set distill.contents = 0"
        )
    widths = sorted({len(example.contents) for example in examples})
    if len(widths) > 1:
        raise ValueError(
            f"contents: these labels have {' and '.join(map(str, widths))} values per frame; "
            "train the teachers with one bottleneck, or set distill.contents = 0"
        )
    numbers = list(voices) or [0] * len(examples)
    readers = []
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for voice in range(max(numbers) + 1):
            own = [e for e, number in zip(examples, numbers, strict=True) if number == voice]
            # A voice without examples is never used.
            frames = _some_frames(own or examples)
            readers.append(ContentsReader(outputs, frames, units, seed))
    return VoicesReader(readers)


def _some_frames(examples: Sequence[LabelledAudio]) -> Tensor:
    every = max(1, sum(example.contents.shape[1] for example in examples) // _FRAMES)
    frames = [example.contents[:, ::every].T.astype(np.float32) for example in examples]
    return torch.from_numpy(np.concatenate(frames))


def soft_units(frames: Tensor, count: int, seed: int = 0) -> Tensor:
    """Return ``count`` centres ``[count, C]`` of ``frames`` ``[N, C]`` (k-means, Lloyd 1982)."""
    generator = torch.Generator().manual_seed(seed)
    centres = frames[torch.randperm(len(frames), generator=generator)[:count]].clone()
    for _ in range(_ROUNDS):
        owner = torch.cdist(frames, centres).argmin(1)
        sums = torch.zeros_like(centres).index_add_(0, owner, frames)
        sizes = torch.bincount(owner, minlength=len(centres))[:, None]
        centres = torch.where(sizes > 0, sums / sizes.clamp_min(1), centres)
    return centres


def _column(values: Tensor) -> Tensor:
    return values[None, :, None, None]
