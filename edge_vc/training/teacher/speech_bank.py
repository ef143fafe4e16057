"""All training speech in one place, on the device that trains; crops are index arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edge_vc.data.pair_set import HOP, PairSet
from edge_vc.training.student.phones import UNKNOWN, Phones


@dataclass(frozen=True)
class SpeechCrop:
    """A window of ``W`` frames from each of ``B`` places."""

    inputs: Tensor
    """``[B, W * HOP]``, silence beyond the speaker's recordings."""
    targets: Tensor
    """``[B, W * HOP]``"""
    f0: Tensor
    """``[B, W]`` in Hz, 0 where unvoiced."""
    present: Tensor
    """``[B, W]``: whether the frame is within the speaker's recordings."""
    phones: Tensor
    """``[B, W]``: indices of `PHONES`, `UNKNOWN` where there is none."""


class SpeechBank:
    """Each speaker's recordings end to end; a crop may run from one into the next."""

    def __init__(
        self, pairs: Sequence[PairSet], voices: Sequence[str], device: torch.device
    ) -> None:
        """Concatenate ``pairs`` by ``voices``; raises `ValueError` where a voice has none."""
        ordered = [[p for p in pairs if p.speaker == voice] for voice in voices]
        for voice, own in zip(voices, ordered, strict=True):
            if not own:
                raise ValueError(f"speaker {voice!r} has no recordings to train on")
        flat = [pair for own in ordered for pair in own]
        lengths = [sum(len(pair.f0) for pair in own) for own in ordered]
        self.ends = np.cumsum(lengths)
        self.starts = self.ends - lengths
        self.variants = max(len(pair.inputs) for pair in flat)
        rows = [
            np.concatenate([pair.inputs[v if v < len(pair.inputs) else 0] for pair in flat])
            for v in range(self.variants)
        ]
        self._inputs = torch.from_numpy(np.stack(rows)).to(device)
        self._targets = torch.from_numpy(np.concatenate([p.target for p in flat])).to(device)
        self._f0 = torch.from_numpy(np.concatenate([p.f0 for p in flat])).to(device)
        self._phones = torch.from_numpy(np.concatenate([_phones(p) for p in flat])).to(device)
        self.mean_log_f0 = np.array([_mean_log_f0(own) for own in ordered], np.float32)
        self.device = device

    def cut(
        self, speakers: Tensor, variants: Tensor, places: Tensor, before: int, frames: int
    ) -> SpeechCrop:
        """Cut ``frames`` frames from ``before`` frames ahead of ``places``, all ``[B]``."""
        first = places[:, None] - before
        frame = first + torch.arange(frames, device=self.device)
        low, high = (torch.from_numpy(x).to(self.device) for x in (self.starts, self.ends))
        present = (frame >= low[speakers][:, None]) & (frame < high[speakers][:, None])
        safe = frame.clamp(0, len(self._f0) - 1)
        sample = (safe[..., None] * HOP + torch.arange(HOP, device=self.device)).flatten(1)
        heard = present.repeat_interleave(HOP, 1) / 32767.0
        return SpeechCrop(
            self._inputs[variants[:, None], sample] * heard,
            self._targets[sample] * heard,
            self._f0[safe] * present,
            present,
            self._phones[safe].long().masked_fill(~present, UNKNOWN),
        )


def _phones(pair: PairSet) -> Phones:
    return np.full(len(pair.f0), UNKNOWN, np.int8) if pair.phones is None else pair.phones


def _mean_log_f0(pairs: Sequence[PairSet]) -> float:
    f0 = np.concatenate([pair.f0 for pair in pairs])
    return float(np.log(f0[f0 > 0]).mean()) if (f0 > 0).any() else float(np.log(150.0))
