"""A part of a long recording on its way to a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_vc.audio.io import Samples, resample

if TYPE_CHECKING:  # it loads torch
    from edge_vc.teachers.survey import SurveyPart

LONGEST_SECONDS = 60.0
"""Longer recordings are labelled part by part: a teacher takes some 5 MB a second."""
PART_SECONDS = 30
"""Of a part."""
CONTEXT_SECONDS = 5
"""Heard before and after a part by teachers that do not say how much they need."""


@dataclass(frozen=True)
class LabelPiece:
    """Which part of which recording; places in samples at ``rate`` Hz."""

    rate: int
    low: int
    """Where what is sent begins in the recording."""
    start: int
    stop: int
    total: int
    """Length of the recording."""
    known: SurveyPart | None = None
    """What a teacher of ours has to know of the whole."""

    def inner(self, rate: int) -> slice:
        """Return where the part is within what is sent, at another rate."""
        low, high = ((place - self.low) * rate / self.rate for place in (self.start, self.stop))
        return slice(round(low), round(high))

    def place(self, rate: int) -> tuple[int, int]:
        """Return where what is sent begins, and the length of the recording, at another rate."""
        return round(self.low * rate / self.rate), round(self.total * rate / self.rate)

    def at(self, samples: Samples, rate: int) -> Samples:
        """Return what is sent at another rate."""
        return samples if rate == self.rate else resample(samples, self.rate, rate)
