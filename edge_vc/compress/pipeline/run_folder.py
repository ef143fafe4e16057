"""The folder of one compression run: finished artifacts, work in progress, ``run.json``."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge_vc.compress.pipeline.stage import Metrics
from edge_vc_runtime.files.durable import rename, sync_tree
from edge_vc_runtime.files.writing import write_whole

RECIPE = "recipe.toml"
"""The recipe with every default written out."""
SUMMARY = "run.json"
RECORD = "stage.json"
"""Record stored with every artifact: how it was made and its metrics."""


class RunFolderError(RuntimeError):
    """A run folder that cannot be used; a one-line message with its path and the remedy."""


@dataclass(frozen=True)
class Record:
    """Record of a finished stage."""

    key: str
    """Hash of all dependencies of the result."""
    content: str
    """Hash of the artifact's files."""
    seconds: float
    """Duration of the last attempt, which finished it."""
    metrics: Metrics
    resolved: dict[str, Any]
    """The part of the recipe it was made with."""
    inputs: dict[str, str]
    """Content hashes of its inputs."""


class RunFolder:
    """Artifacts by stage: ``<stage>/`` when done, ``.work/<stage>/`` until then.

    A stage's folder is created by a single rename, together with its record, so existing artifacts
    are always complete, even after a crash.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._hashes: dict[tuple[tuple[str, int, int], ...], str] = {}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create and lock the folder; raises `RunFolderError` if that is not possible."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = (self.root / ".lock").open("w")
        except OSError as error:
            raise RunFolderError(
                f"{self.root}: is not a writable folder ({error.strerror})"
            ) from error
        with lock as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RunFolderError(
                    f"{self.root}: another compress runs in this folder; wait or use another --run"
                ) from error
            self._finish_commits()
            yield

    def artifact(self, stage: str) -> Path:
        """Return the path of a stage's finished artifact, whether it exists or not."""
        return self.root / stage

    def record(self, stage: str) -> Record | None:
        """Return the record of a finished stage, or None, also if its artifact was modified."""
        folder = self.artifact(stage)
        try:
            record = Record(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        return record if self._content(folder) == record.content else None

    def _content(self, folder: Path) -> str:
        """Return the content hash, cached as long as no file changes."""
        files = ((path, path.stat()) for path in sorted(folder.rglob("*")))
        seen = tuple((str(path), stat.st_size, stat.st_mtime_ns) for path, stat in files)
        if seen not in self._hashes:
            self._hashes[seen] = content_hash(folder)
        return self._hashes[seen]

    def workplace(self, stage: str, key: str) -> tuple[Path, Path]:
        """Return the output folder (empty) and the scratch folder (kept) for an attempt.

        Scratch with the same ``key`` is left by a killed attempt; any other scratch is deleted.
        """
        place = self.root / ".work" / stage
        scratch, output = place / f"scratch-{key[:16]}", place / "output"
        if place.is_dir():
            for stale in place.iterdir():
                if stale != scratch:
                    _remove(stale)
        scratch.mkdir(parents=True, exist_ok=True)
        output.mkdir()
        return output, scratch

    def commit(
        self,
        stage: str,
        *,
        key: str,
        seconds: float,
        metrics: Metrics,
        resolved: dict[str, Any],
        inputs: dict[str, str],
    ) -> Record:
        """Make the output folder the stage's artifact, replacing an earlier one."""
        place = self.root / ".work" / stage
        output = place / "output"
        record = Record(key, content_hash(output), seconds, metrics, resolved, inputs)
        _write_json(output / RECORD, asdict(record))
        sync_tree(output)
        final, previous = self.artifact(stage), place / "previous"
        if final.exists():
            rename(final, previous)
        rename(output, final)
        _remove(place)
        return record

    def _finish_commits(self) -> None:
        """Finish commits whose process died between the two renames."""
        for output in self.root.glob(".work/*/output"):
            stage = output.parent.name
            if (output / RECORD).is_file() and not self.artifact(stage).exists():
                rename(output, self.artifact(stage))

    def write_summary(self, summary: dict[str, Any]) -> Path:
        """Write ``run.json`` atomically."""
        return _write_json(self.root / SUMMARY, summary)


def content_hash(folder: Path) -> str:
    """Return the sha256 over names and bytes of all files under ``folder`` except its record."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name != RECORD:
            file_hash = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{name}\0{file_hash}\n".encode())
    return digest.hexdigest()


def _write_json(path: Path, value: dict[str, Any]) -> Path:
    return write_whole(path, json.dumps(value, indent=2) + "\n")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
