"""One recording of a corpus and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from edge_vc.audio.io import Samples, read_audio


@dataclass(frozen=True)
class Utterance:
    """One recording; the fields are the columns of ``metadata.csv`` in order."""

    path: Path
    """Absolute path of the audio file."""
    utt_id: str
    """A plain file name, whatever the table contains; see `file_name`."""
    speaker: str
    sex: str
    """``F``, ``M`` or empty."""
    seconds: float
    corpus: str
    role: str
    """Its purpose: ``target``, ``source``, ``target-reference``, ``unseen-source``, ..."""
    licence: str
    text: str
    """Transcript; empty if unknown."""

    def read(self, sample_rate: int) -> Samples:
        """Return the recording as mono ``[T]`` at ``sample_rate`` Hz."""
        return read_audio(self.path, sample_rate)


COLUMNS = tuple(field.name for field in fields(Utterance))
"""The columns of ``metadata.csv`` in order."""
