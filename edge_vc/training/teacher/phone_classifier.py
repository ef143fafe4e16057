"""Classifies the phones in a teacher's contents, so that these keep what was said."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edge_vc.training.student.phones import PHONES, UNKNOWN


class PhoneClassifier(nn.Linear):
    """One linear layer from a frame's content to the logits of `PHONES`.

    Used in training alone; a saved teacher has none. It anchors contents phonetically, as
    phonetic posteriorgrams of a recogniser do (Sun et al. 2016).
    """

    def __init__(self, bottleneck: int) -> None:
        super().__init__(bottleneck, len(PHONES))

    def error(self, content: Tensor, phones: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of ``content`` ``[B, C, F]`` and its accuracy, both scalars.

        ``phones`` ``[B, F]`` are indices of `PHONES`; `UNKNOWN` frames do not count. Both are 0
        where no frame is known.
        """
        logits = self(content.transpose(1, 2).float())
        known = phones != UNKNOWN
        count = known.sum().clamp_min(1)
        total = nn.functional.cross_entropy(
            logits.flatten(0, 1), phones.flatten(), ignore_index=UNKNOWN, reduction="sum"
        )
        right = ((logits.detach().argmax(-1) == phones) & known).sum() / count
        return total / count, right.to(torch.float32)
