"""The folder that a label job fills: labels by content, a journal of what became of each."""

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
    """A folder that labels cannot be put into or read from; one line with the way out."""


@dataclass(frozen=True)
class TeacherRecord:
    """Whose labels these are."""

    hash: str
    spec: dict[str, Any]
    common_ms: float | None = None
    """The delay that it has on all recordings, None for none."""
    measured: bool = False
    """Whether that was measured yet."""


class LabelFolder:
    """Outcomes by key. One line per outcome in the journal, after its labels are in place.

    Killed at any moment, what the journal says is there, and nothing is in it twice.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    @contextmanager
    def locked(self, wait: bool = False) -> Iterator[None]:
        """Make the folder and hold it; raises `LabelFolderError` when that is not possible.

        ``wait`` for another job that holds it, instead of raising.
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
        """Path of the labels with this key, there or not."""
        return self.root / LABELS / f"{key}.npz"

    def finished(self) -> dict[str, LabelOutcome]:
        """Return the outcomes in the journal whose labels are whole; the last line of a key counts.

        Labels that are missing, or whose hash is not the journal's, count as not made. A line
        that a kill cut short, or that is not text, is passed over.
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
        """Whether the labels of a kept outcome are there, byte for byte."""
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
            # A kill may have cut the last line short: it stays alone on its line.
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - 1))
            torn = file.read(1) not in (b"", b"\n")
            file.write(b"\n" * torn + json.dumps(values).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def claim(self, hash: str, spec: dict[str, Any]) -> TeacherRecord:
        """Return what is known of the teacher; raises when the folder is of another one."""
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
        """Store what is known of the teacher."""
        self.write_json(TEACHER, asdict(record))

    def write_json(self, name: str, value: dict[str, Any]) -> Path:
        """Write a file of the folder in one step."""
        return self.write_text(name, json.dumps(value, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write a file of the folder in one step."""
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
