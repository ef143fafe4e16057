"""Record of the models that have run here: one small file each in the user's state folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_vc_runtime.board_profile import user_folder
from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.engines.kind import EngineKind
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.version import __version__

_FOLDER = "trials"


@dataclass(frozen=True)
class Trial:
    """Everything that a trial depends on: with a different library a model has to pass again."""

    manifest_sha256: str
    """Hash of the bundle's manifest, which contains the hashes of all files."""
    file: str
    engine: str
    libraries: tuple[tuple[str, str], ...]
    """The engine's installed libraries with their versions."""
    runtime: str = __version__

    @classmethod
    def of(cls, bundle: Bundle, kind: EngineKind, model: ModelEntry) -> Trial:
        """Return the trial of one model on one engine, under current conditions."""
        digest = hashlib.sha256(bundle.content).hexdigest()
        found = tuple((each.library, each.version) for each in kind.installed())
        return cls(digest, model.file, kind.name, found)

    def place(self, environment: Mapping[str, str] | None = None) -> Path:
        """Return the file that represents it."""
        key = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return user_folder("STATE", ".local/state", environment) / _FOLDER / key


def remembers(trial: Trial) -> bool:
    """Return whether the model has passed here before."""
    try:
        return trial.place().is_file()
    except OSError:
        return False


def remember(trial: Trial) -> None:
    """Record that the model has passed; if that is not possible, it is tried again next time."""
    place = trial.place()
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, json.dumps(asdict(trial)) + "\n")
