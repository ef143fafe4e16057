"""Lists a corpus folder: utterances, and files that cannot be one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vc.audio.io import AudioError, seconds_of
from edge_vc.audio.scan import AudioScan, LeftOut, scan_audio
from edge_vc.data.corpus_table import (
    METADATA,
    CorpusError,
    RecordingError,
    TableRow,
    is_foreign_table,
    read_table,
)
from edge_vc.data.file_name import file_name
from edge_vc.data.json_table import find_json_table, read_json_table
from edge_vc.data.kaldi_table import WAV_SCP, read_kaldi_table
from edge_vc.data.role import role_and_speaker
from edge_vc.data.utterance import Utterance

_LONGEST_TEXT = 1 << 16  # bytes of a transcript next to a recording


@dataclass(frozen=True)
class CorpusListing:
    """Everything that a folder or its table lists."""

    root: Path
    utterances: tuple[Utterance, ...]
    left_out: tuple[LeftOut, ...]

    def nothing(self) -> str:
        """Return the line that reports that the folder contains no recordings, and why."""
        return AudioScan(self.root, (), self.left_out).nothing()


def list_folder(root: Path) -> CorpusListing:
    """Read a folder's ``metadata.csv``, a NeMo or Kaldi table, or else every audio file in it.

    Raises `CorpusError` for a bad line of the table.
    """
    if (table := root / METADATA).is_file():
        return _listed(table, read_table(table))
    if (lines := find_json_table(root)) is not None:
        return _listed(lines, read_json_table(lines))
    if (scp := root / WAV_SCP).is_file():
        return _listed(scp, read_kaldi_table(scp))
    return _scanned(root)


def _listed(table: Path, rows: Sequence[TableRow]) -> CorpusListing:
    found: list[Utterance] = []
    left_out: list[LeftOut] = []
    lines: dict[tuple[str, str], int] = {}
    for row in rows:
        try:
            utterance = row.read()
        except RecordingError as error:
            left_out.append(error.left_out)
            continue
        if not utterance.path.stat().st_size:
            left_out.append(LeftOut(utterance.path, "empty", "0 bytes"))
            continue
        who = (utterance.speaker, utterance.utt_id)
        if who in lines:
            raise CorpusError(
                f"{table}: lines {lines[who]} and {row.number} are both utterance {who[1]!r:.60} "
                f"of speaker {who[0]!r:.60}, and files are named so; rename one"
            )
        lines[who] = row.number
        found.append(utterance)
    return CorpusListing(table.parent, tuple(found), tuple(left_out))


def _scanned(root: Path) -> CorpusListing:
    scan = scan_audio(root)
    found: list[Utterance] = []
    left_out = list(scan.left_out)
    left_out += [_unread(table) for table in sorted(root.iterdir()) if is_foreign_table(table)]
    for path in scan.files:
        if _second_microphone(path):
            left_out.append(LeftOut(path, "second microphone", "its twin _mic1 is used"))
            continue
        try:
            found.append(_unlabelled(root, path))
        except AudioError as error:
            fact = str(error).removeprefix(f"{path}: ")
            left_out.append(LeftOut(path, "unreadable", fact))
    return CorpusListing(root, tuple(found), tuple(left_out))


def _unread(table: Path) -> LeftOut:
    name = shlex.quote(table.name)
    fact = f"a table that is not read; to read it: cp {name} {METADATA}, in its folder"
    return LeftOut(table, "table", fact)


def _unlabelled(root: Path, path: Path) -> Utterance:
    seconds = seconds_of(path)
    role, speaker = role_and_speaker(root, path)
    text = transcript_beside(root, path)
    return Utterance(
        path, file_name(path.stem), speaker, "", seconds, file_name(root.name), role, "", text
    )


def transcript_beside(root: Path, path: Path) -> str:
    """Return the transcript in ``NAME.txt`` next to the file, or in VCTK's ``txt/SPEAKER``."""
    name = path.stem.removesuffix("_mic1")
    for place in (path.with_name(f"{name}.txt"), root / "txt" / path.parent.name / f"{name}.txt"):
        try:
            with place.open("rb") as file:
                return " ".join(file.read(_LONGEST_TEXT).decode("utf-8-sig").split())
        except (OSError, UnicodeDecodeError):
            continue
    return ""


def _second_microphone(path: Path) -> bool:
    """Whether it is VCTK's second recording of a sentence whose first one exists."""
    stem = path.stem
    first = path.with_name(f"{stem.removesuffix('_mic2')}_mic1{path.suffix}")
    return stem.endswith("_mic2") and first.is_file()
