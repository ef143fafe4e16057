"""The folder of a label job: labels named by content, and a journal of every outcome."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from edge_vc.labelling.task import KEPT, LabelOutcome
from edge_vc_runtime.files.error import named
from edge_vc_runtime.files.writing import write_whole

LABELS = "labels"
JOURNAL = "journal.jsonl"
TEACHER = "teacher.json"
REPORT = "report.json"
TABLE = "report.md"


class LabelFolderError(ValueError):
    """A folder that labels cannot be written to or read from; one line with the way out."""


@dataclass(frozen=True)
class TeacherRecord:
    """The teacher that made the labels."""

    hash: str
    spec: dict[str, Any]
    common_ms: float | None = None
    """Its common delay on all recordings, None if there is none."""
    measured: bool = False
    """Whether the delay has been measured."""


class LabelFolder:
    """Outcomes by key. One line per outcome in the journal, written after its labels are in place.

    If a run is killed at any moment, everything in the journal exists and nothing is in it twice.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @contextmanager
    def locked(self, wait: bool = False) -> Iterator[None]:
        """Make the folder and lock it; raises `LabelFolderError` if that is impossible.

        With ``wait``, wait for another job that holds the lock instead of raising.
        """
        try:
            (self.root / LABELS).mkdir(parents=True, exist_ok=True)
            lock = (self.root / ".lock").open("w")
        except OSError as error:
            raise LabelFolderError(
                f"{self.root}: not writable ({error.strerror}); name another folder"
            ) from error
        with lock as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError as error:
                raise LabelFolderError(
                    f"{self.root}: another job labels into this folder; wait, or name another"
                ) from error
            yield

    def path(self, key: str) -> Path:
        """Return the path of the labels with this key, whether they exist or not."""
        return self.root / LABELS / f"{key}.npz"

    def finished(self) -> dict[str, LabelOutcome]:
        """Return the outcomes in the journal whose labels are intact; a key's last line counts.

        Labels that are missing, or whose hash differs from the journal's, count as not made. A line
        that was cut short by a kill, or that is not text, is skipped.
        """
        names = {field.name for field in fields(LabelOutcome)} - {"content"}
        found: dict[str, LabelOutcome] = {}
        journal = self.root / JOURNAL
        lines = (
            journal.read_text("utf-8", errors="replace").splitlines() if journal.is_file() else []
        )
        for line in lines:
            try:
                values = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(values, dict) and set(values) == names:
                found[values["key"]] = LabelOutcome(**values)
        return {
            key: outcome
            for key, outcome in found.items()
            if outcome.status != KEPT or self.holds(outcome)
        }

    def holds(self, outcome: LabelOutcome) -> bool:
        """Whether the labels of a kept outcome exist, byte for byte."""
        try:
            with self.path(outcome.key).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == outcome.sha256
        except OSError:
            return False

    def store(self, outcome: LabelOutcome) -> None:
        """Put the labels in place, then write the line."""
        if outcome.status == KEPT:
            write_whole(self.path(outcome.key), outcome.content)
        values = asdict(outcome)
        del values["content"]
        journal = self.root / JOURNAL
        with named(journal), journal.open("ab+") as file:
            # A kill may have cut the last line short: it is left on a line of its own.
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            torn = file.read(1) not in (b"", b"\n")
            file.write(b"\n" * torn + json.dumps(values).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def claim(self, hash: str, spec: dict[str, Any]) -> TeacherRecord:
        """Return the record of the teacher; raises if the folder belongs to another one."""
        record = self._record()
        if record is None:
            return TeacherRecord(hash, spec)
        if record.hash != hash:
            raise LabelFolderError(
                f"{self.root}: holds labels of another teacher, or of this one before its files "
                "changed; name another folder"
            )
        return record

    def write_teacher(self, record: TeacherRecord) -> None:
        """Store the record of the teacher."""
        self.write_json(TEACHER, asdict(record))

    def write_json(self, name: str, value: dict[str, Any]) -> Path:
        """Write a file of the folder atomically."""
        return self.write_text(name, json.dumps(value, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write a file of the folder atomically."""
        path = self.root / name
        write_whole(path, text.encode())
        return path

    def _record(self) -> TeacherRecord | None:
        path = self.root / TEACHER
        if not path.is_file():
            return None
        try:
            return TeacherRecord(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError, RecursionError) as error:
            raise LabelFolderError(f"{path}: is damaged; name another folder") from error
