"""The output folder of a prepared corpus: claimed before a run, swept after it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_vc.data.corpus_table import METADATA
from edge_vc.prepare.record import write_text
from edge_vc.prepare.settings import PrepareError, PrepareSettings
from edge_vc.prepare.split import TRAIN, VALIDATION
from edge_vc_runtime.files.part_file import is_part

STATE = ".prepare"
"""Folder with the state of a run; a folder without it is not an output of ours."""
SUMMARY, DROPPED, PLOT = "prepare.json", "dropped.csv", "prepare.png"
FEATURES = "features"
"""Folder with the features of each utterance, if requested."""

_VERSION = 1


@dataclass(frozen=True)
class Output:
    """A claimed folder."""

    root: Path
    sides: Mapping[str, str]
    """The split decided by earlier runs, by speaker."""

    @property
    def records(self) -> Path:
        """Folder with the record of each recording."""
        return self.root / STATE / "records"

    def claim(self, settings: PrepareSettings, sides: Mapping[str, str]) -> None:
        """Write the state file, before anything else is written there."""
        self.records.mkdir(parents=True, exist_ok=True)
        state = {"version": _VERSION, "settings": settings.as_dict(), "sides": dict(sides)}
        write_text(self.root / STATE / "run.json", json.dumps(state, indent=1))

    def sweep(self, kept: Iterable[str]) -> None:
        """Delete files of earlier runs that the table no longer lists."""
        wanted = {self.root / path for path in kept}
        wanted |= {feature_path(self.root, path.relative_to(self.root)) for path in wanted}
        for side in (TRAIN, VALIDATION, FEATURES):
            for path in sorted((self.root / side).rglob("*"), reverse=True):
                if path.is_dir():
                    if not any(path.iterdir()):
                        path.rmdir()
                elif path not in wanted and path.name != METADATA:
                    path.unlink()


def feature_path(root: Path, recording: Path) -> Path:
    """Return the path of the features of ``recording``, a path relative to the corpus ``root``."""
    return root / FEATURES / recording.with_suffix(".npz")


def open_output(
    root: Path, folder: Path, settings: PrepareSettings, overwrite: bool = False
) -> Output:
    """Return the output folder, new or with an earlier run's work to resume.

    Raises `PrepareError` for a folder with other content, for one prepared with other settings
    (unless ``overwrite``), and if one of input and output contains the other.
    """
    if root == folder or root.is_relative_to(folder) or folder.is_relative_to(root):
        raise PrepareError(f"{root}: is within {folder} or contains it; choose a folder beside it")
    if root.exists() and not root.is_dir():
        raise PrepareError(f"{root}: is a file; choose a folder")
    if not root.is_dir() or _nothing_in(root):
        return Output(root, {})
    state = _read_state(root)
    if overwrite:
        for name in (STATE, TRAIN, VALIDATION, FEATURES, "evaluation"):
            shutil.rmtree(root / name, ignore_errors=True)
        for name in (METADATA, SUMMARY, DROPPED, PLOT):
            (root / name).unlink(missing_ok=True)
        return Output(root, {})
    new = json.loads(json.dumps(settings.as_dict()))
    changed = _changed(state["settings"], new) + [n for n in state["settings"] if n not in new]
    if changed:
        raise PrepareError(
            f"{root}: was prepared with another {', '.join(changed)}; "
            "choose another folder, or give --overwrite to start over"
        )
    return Output(root, state["sides"])


def _nothing_in(root: Path) -> bool:
    """Return whether it is empty, or holds only what a run killed at its start leaves behind."""
    state = root / STATE
    found = (path for path in root.rglob("*") if not is_part(path.name))
    return all(path == state or (state in path.parents and path.is_dir()) for path in found)


def _read_state(root: Path) -> dict[str, Any]:
    path = root / STATE / "run.json"
    if not path.is_file():
        raise PrepareError(f"{root}: is not empty and was not made here; choose an empty folder")
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        if state["version"] != _VERSION:
            raise PrepareError(f"{root}: made by another version; choose an empty folder")
        sides = {str(name): str(side) for name, side in state["sides"].items()}
        if not set(sides.values()) <= {TRAIN, VALIDATION}:
            raise ValueError(f"sides {sorted(set(sides.values()))}")
        return {"settings": dict(state["settings"]), "sides": sides}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, PrepareError):
            raise
        raise PrepareError(f"{path}: damaged ({error}); choose an empty folder") from error


def _changed(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for name, value in new.items():
        if isinstance(value, dict):
            names += _changed(old.get(name, {}), value)
        elif old.get(name) != value:
            names.append(name)
    return names
