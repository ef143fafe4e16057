"""Reads phones off a teacher's contents, so that these say what was said."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edge_vc.training.teacher.phones import PHONES, UNKNOWN


class PhoneReader(nn.Linear):
    """One linear layer: what it can read lies in the open.

    Only trained with; what ships has none. A phonetic anchor for contents as recognisers give
    them elsewhere (phonetic posteriorgrams, Sun et al. 2016).
    """

    def __init__(self, bottleneck: int) -> None:
        super().__init__(bottleneck, len(PHONES))

    def error(self, content: Tensor, phones: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cross-entropy of ``content`` ``[B, C, F]`` and the share of frames read right.

        ``phones`` ``[B, F]`` are indices, `UNKNOWN` ones do not count; no known one costs 0.
        """
        logits = self(content.transpose(1, 2).float())
        known = phones != UNKNOWN
        count = known.sum().clamp_min(1)
        apart = nn.functional.cross_entropy(
            logits.flatten(0, 1), phones.flatten(), ignore_index=UNKNOWN, reduction="sum"
        )
        right = ((logits.detach().argmax(-1) == phones) & known).sum() / count
        return apart / count, right.to(torch.float32)
