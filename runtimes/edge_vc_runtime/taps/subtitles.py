"""Subtitles in the SubRip format (SRT)."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

_COLUMNS = 42  # per line of subtitles
_SHORTEST_S = 1.0


@dataclass(frozen=True)
class Cue:
    """One subtitle, times in s since the start of the run."""

    start: float
    end: float
    text: str

    def srt(self, number: int) -> str:
        """Return the cue as a complete block; ``number`` counts from 1."""
        end = max(self.end, self.start + _SHORTEST_S)
        lines = "\n".join(textwrap.wrap(self.text, _COLUMNS))
        return f"{number}\n{_clock(self.start)} --> {_clock(end)}\n{lines}\n\n"


def _clock(seconds: float) -> str:
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1000 % 60:02d},{ms % 1000:03d}"
