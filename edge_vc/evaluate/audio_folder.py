"""The folder with all converted audio, for listening and for the report's page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from edge_vc.audio.io import Samples, write_audio
from edge_vc.data.file_name import short_hash
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.noise import CLEAN, Condition
from edge_vc.evaluate.systems.open_system import RATE
from edge_vc.settings.optional import EvaluationError

TARGET = "target"
"""Folder with the target's own recordings."""
_LONGEST = 120


class AudioFolder:
    """``<condition>/<system>/<speaker>_<utt_id>.flac`` under one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, condition: str, name: str, speaker: str, utt_id: str) -> Path:
        """Return the path of a recording, always inside the folder, whatever the names are."""
        own = f"{speaker}_{utt_id}"
        recording = plain_name(own)
        if recording != own and not recording.endswith(short_hash(own)):
            recording = f"{recording}-{short_hash(own)}"  # "a b" is not "a-b"
        return self.root / plain_name(condition) / plain_name(name) / f"{recording}.flac"

    def check(self, names: Iterable[str]) -> None:
        """Raise `EvaluationError` if systems would share a folder or none can be created."""
        folders: dict[str, str] = {}
        for name in (TARGET, *names):
            taken = folders.setdefault(plain_name(name), name)
            if taken != name:
                raise EvaluationError(f"{name}: its audio would mix with that of {taken}; rename")
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EvaluationError(f"{self.root}: cannot be created ({error.strerror})") from error

    def save(
        self, condition: Condition, utterance: Utterance, versions: Mapping[str, Samples]
    ) -> None:
        """Store every system's version of an utterance."""
        for name, samples in versions.items():
            path = self.path(condition.name, name, utterance.speaker, utterance.utt_id)
            self._write(path, samples)

    def save_target(self, utterance: Utterance) -> None:
        """Store a recording of the target, at `path` of its own speaker and name."""
        path = self.path(CLEAN.name, TARGET, utterance.speaker, utterance.utt_id)
        self._write(path, utterance.read(RATE))

    def _write(self, path: Path, samples: Samples) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_audio(path, samples, RATE)


def plain_name(name: str) -> str:
    """Return a name as a file name: letters, digits, dot, dash and underscore.

    Names in other alphabets, and long ones, end in a hash, since too little of them is left.
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".") or "unnamed"
    if name.isascii() and len(plain) <= _LONGEST:
        return plain
    return f"{plain[: _LONGEST - 9]}-{short_hash(name)}"
