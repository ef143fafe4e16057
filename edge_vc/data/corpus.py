"""A folder of recordings, described by its ``metadata.csv`` or by its file names."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from edge_vc.audio.long_audio import longer_than
from edge_vc.audio.scan import LeftOut
from edge_vc.data.corpus_folder import list_folder
from edge_vc.data.corpus_table import METADATA, CorpusError
from edge_vc.data.utterance import COLUMNS, Utterance
from edge_vc_runtime.files.writing import write_whole


@dataclass(frozen=True)
class Corpus:
    """Utterances under one folder, in the order of its table."""

    root: Path
    utterances: tuple[Utterance, ...]
    left_out: tuple[LeftOut, ...] = ()
    """Recordings that are listed or look like recordings but cannot be read."""

    @classmethod
    def open(cls, root: str | Path) -> Corpus:
        """Open a folder: by its ``metadata.csv``, else every audio file under it (`scan_audio`).

        Without a table, the speaker is the name of the file's folder (the corpus folder's own
        for files directly in it) and the role is ``source``. Recordings that cannot be read are in
        `left_out`. Raises `CorpusError` for a missing or empty folder and for any bad line of the
        table.
        """
        root = Path(root).resolve()
        if not root.is_dir():
            raise CorpusError(f"{root}: no such folder; give a folder of recordings")
        found = list_folder(root)
        if not found.utterances:
            raise CorpusError(found.nothing())
        return cls(root, found.utterances, found.left_out)

    def __len__(self) -> int:
        """Return the number of utterances."""
        return len(self.utterances)

    def __iter__(self) -> Iterator[Utterance]:
        """Iterate over the utterances in order."""
        return iter(self.utterances)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Names of the speakers, sorted."""
        return tuple(sorted({utterance.speaker for utterance in self}))

    @property
    def seconds(self) -> float:
        """Duration of all utterances together."""
        return sum(utterance.seconds for utterance in self)

    def shorter_than(self, seconds: float) -> Corpus:
        """Return the corpus without longer recordings, which are then in `left_out`.

        Samples are counted up to the limit; headers are not trusted.
        """
        fact = f"over {seconds:g} s; cut it into sentences: edge-vc prepare keeps roles"
        long = {utterance.path for utterance in self if longer_than(utterance.path, seconds)}
        kept = tuple(utterance for utterance in self if utterance.path not in long)
        more = tuple(LeftOut(path, "too long", fact) for path in sorted(long))
        return Corpus(self.root, kept, self.left_out + more)

    def select(self, role: str | None = None, speaker: str | None = None) -> Corpus:
        """Return the utterances of a role, a speaker or both; there may be none."""
        kept = (
            utterance
            for utterance in self
            if role in (None, utterance.role) and speaker in (None, utterance.speaker)
        )
        return Corpus(self.root, tuple(kept))

    def content_hash(self) -> str:
        """Return the sha256 over every utterance's metadata and file bytes, in order of path.

        Independent of the path of the corpus and of the order of its table.
        """
        digest = hashlib.sha256()
        for utterance in sorted(self, key=lambda utterance: utterance.path):
            name = utterance.path.relative_to(self.root).as_posix()
            row = [name, *(str(value) for value in astuple(utterance)[1:])]
            with utterance.path.open("rb") as file:
                file_hash = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(os.fsencode("|".join([*row, file_hash, "\n"])))
        return digest.hexdigest()


def write_metadata(root: Path, utterances: list[Utterance]) -> Path:
    """Write the table of a new corpus under ``root``; the paths become relative to it."""
    lines = ["|".join(COLUMNS)]
    for utterance in utterances:
        path = utterance.path.relative_to(root).as_posix()
        row = [path, *(str(value) for value in astuple(utterance)[1:])]
        if any("|" in value or "\n" in value for value in row):
            raise CorpusError(f"{path}: metadata holds '|' or a line break, which the table cannot")
        lines.append("|".join(row))
    table = root / METADATA
    return write_whole(table, "\n".join(lines) + "\n")
