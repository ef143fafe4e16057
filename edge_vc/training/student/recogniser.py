"""What a phone recogniser hears in a student's sound, compared with what it hears in the teacher's.

A perceptual loss (Johnson, Alahi, Fei-Fei 2016) whose network knows phones: it tells a lost
consonant from a change of timbre, which distances between spectra do not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.models.content.encoder import ContentError
from edge_vc.models.content.hama import BLOCKS, RATE, open_hama

FIRST = 1
"""The block from which on frames are compared: before it they are mostly spectrum."""
EDGE = 2
"""Frames of 20 ms at either end of a segment that do not count: what is before them is cut off."""


class RecogniserDistance:
    """Distance between two sounds in hama's frames and phone decisions; hama stays as it is."""

    def __init__(self, sample_rate: int, device: torch.device | str = "cpu") -> None:
        """Open the recogniser; raises `ContentError` without hama or at another rate, in Hz."""
        if sample_rate != RATE:
            raise ContentError(
                f"the recogniser hears {RATE} Hz, the student is of {sample_rate} Hz; "
                "set distill.words = 0"
            )
        self._hears = open_hama(BLOCKS).on(device)

    def __call__(self, audio: Tensor, target: Tensor) -> Tensor:
        """Return how differently ``audio`` and ``target`` ``[B, T]`` are heard, a scalar.

        The mean absolute difference of the later blocks' frames, and the Kullback-Leibler
        divergence of the phones' probabilities in nats per frame. ``target`` gets no gradient.
        """
        frames, phones = self._hears.heard(audio)
        with torch.no_grad():
            right, truth = self._hears.heard(target)
        counted = slice(EDGE, frames[0].shape[1] - EDGE)
        apart = torch.stack(
            [
                (mine - theirs)[:, counted].abs().mean()
                for mine, theirs in zip(frames[FIRST:], right[FIRST:], strict=True)
            ]
        )
        divergence = (truth.exp() * (truth - phones))[:, counted].sum(-1).mean()
        return apart.mean() + divergence
