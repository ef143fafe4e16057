"""A perceptual loss from a phone recogniser (Johnson, Alahi, Fei-Fei 2016).

The phones recognised in the student's output should be those of the source, which is closer to the
words than any teacher's output. The recogniser's hidden frames should be those of the teacher's
output, which determine how the phones sound. The loss tells a lost consonant from another timbre.
"""

from __future__ import annotations

import torch
from torch import Tensor

from edge_vc.models.content.encoder import ContentError
from edge_vc.models.content.hama import BLOCKS, RATE, open_hama

FIRST = 1
"""First block whose frames are compared: those before it mostly describe the spectrum."""
EDGE = 2
"""Frames of 20 ms at either end of a segment that do not count: their context is cut off."""


class RecogniserDistance:
    """Distance of audio from two references in hama's frames and phones; hama is not trained."""

    def __init__(self, sample_rate: int, device: torch.device | str = "cpu") -> None:
        """Open the recogniser; raises `ContentError` without hama or at another rate, in Hz."""
        if sample_rate != RATE:
            raise ContentError(
                f"the recogniser hears {RATE} Hz, the student is of {sample_rate} Hz; "
                "set distill.words = 0"
            )
        self._encoder = open_hama(BLOCKS).on(device)

    def __call__(self, audio: Tensor, target: Tensor, source: Tensor) -> Tensor:
        """Return the recogniser's distance of ``audio`` from ``target`` and ``source``, a scalar.

        All are ``[B, T]``; the last two get no gradient. It is the mean absolute difference of the
        later blocks' frames from those of ``target``, plus the Kullback-Leibler divergence of the
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
