"""A part of a long recording, on its way to a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_vc.audio.io import Samples, resample

if TYPE_CHECKING:  # it loads torch
    from edge_vc.teachers.survey import SurveyPart

LONGEST_SECONDS = 60.0
"""Longer recordings are labelled in parts: a teacher needs some 5 MB per second of audio."""
PART_SECONDS = 30
"""Length of a part."""
CONTEXT_SECONDS = 5
"""Context before and after a part for teachers that do not say how much they need."""


@dataclass(frozen=True)
class LabelPiece:
    """Identifies a part of a recording; positions are in samples at ``rate`` Hz."""

    rate: int
    low: int
    """Position in the recording at which the sent audio begins."""
    start: int
    stop: int
    total: int
    """Length of the recording."""
    known: SurveyPart | None = None
    """What one of our teachers needs to know about the whole recording."""

    def inner(self, rate: int) -> slice:
        """Return the position of the part within the sent audio, at another rate."""
        low, high = ((place - self.low) * rate / self.rate for place in (self.start, self.stop))
        return slice(round(low), round(high))

    def place(self, rate: int) -> tuple[int, int]:
        """Return where the sent audio begins and the length of the recording, at another rate."""
        return round(self.low * rate / self.rate), round(self.total * rate / self.rate)

    def at(self, samples: Samples, rate: int) -> Samples:
        """Return the sent audio at another rate."""
        return samples if rate == self.rate else resample(samples, self.rate, rate)
