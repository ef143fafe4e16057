"""What a phone recogniser hears in a student's sound.

Its phones should be those of what is converted, which is nearer to the words than any teacher's
answer, and its inner frames those of the teacher, which tell what the phones sound like: a
perceptual loss (Johnson, Alahi, Fei-Fei 2016) that knows a lost consonant from another timbre.
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
    """Distance of a sound from two others in hama's frames and phones; hama stays as it is."""

    def __init__(self, sample_rate: int, device: torch.device | str = "cpu") -> None:
        """Open the recogniser; raises `ContentError` without hama or at another rate, in Hz."""
        if sample_rate != RATE:
            raise ContentError(
                f"the recogniser hears {RATE} Hz, the student is of {sample_rate} Hz; "
                "set distill.words = 0"
            )
        self._encoder = open_hama(BLOCKS).on(device)

    def __call__(self, audio: Tensor, target: Tensor, source: Tensor) -> Tensor:
        """Return how far ``audio`` is heard from ``target`` and ``source``, a scalar.

        All are ``[B, T]``; the last two get no gradient. The mean absolute difference of the later
        blocks' frames from those of ``target``, and the Kullback-Leibler divergence of the
        phones' probabilities from those of ``source``, in nats per frame.
        """
        frames, phones = self._encoder.all_blocks(audio)
        with torch.no_grad():
            others, heard = self._encoder.all_blocks(torch.cat([target, source]))
        right, truth = [block[: len(target)] for block in others], heard[len(target) :]
        counted = slice(EDGE, frames[0].shape[1] - EDGE)
        apart = torch.stack(
            [
                (mine - theirs)[:, counted].abs().mean()
                for mine, theirs in zip(frames[FIRST:], right[FIRST:], strict=True)
            ]
        )
        divergence = (truth.exp() * (truth - phones))[:, counted].sum(-1).mean()
        return apart.mean() + divergence
