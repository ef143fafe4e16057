"""The checkpoint of a training run, replaced as a whole, and its log."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol

import torch

from edge_vc_runtime.files.error import named
from edge_vc_runtime.files.writing import write_whole


class CheckpointError(ValueError):
    """A checkpoint that does not belong to this training; one line that names the file."""


class Stateful(Protocol):
    """A network, an optimiser, an average: what a resumed run needs."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything as tensors and plain values."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Restore it."""
        ...


class Checkpoint:
    """Stores the parts of a run in ``folder``: what every training writes and resumes from."""

    def __init__(self, folder: Path, parts: Mapping[str, Stateful]) -> None:
        self.folder, self.parts = folder, parts

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / "checkpoint.pt"

    def save(self, step: int, seconds: float) -> None:
        """Store every part with the step and the seconds so far.

        The file is written beside the old one and then renamed: killed at any moment, a run finds
        one of both.
        """
        state: dict[str, Any] = {name: part.state_dict() for name, part in self.parts.items()}
        content = io.BytesIO()
        torch.save(state | {"step": step, "seconds": seconds}, content)
        write_whole(self.path, content.getvalue())

    def restore(self) -> tuple[int, float]:
        """Load every part; return step and seconds, zeros where nothing was stored.

        Raises `CheckpointError` for a checkpoint of other parts or of other sizes.
        """
        if not self.path.exists():
            return 0, 0.0
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
        except (OSError, EOFError, RuntimeError, ValueError, UnpicklingError) as error:
            raise CheckpointError(
                f"{self.path}: is damaged; delete it to start anew from the last weights"
            ) from error
        try:
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
            return int(state["step"]), float(state["seconds"])
        except (LookupError, ValueError, RuntimeError) as error:
            what = str(error).strip().splitlines()[0]
            raise CheckpointError(
                f"{self.path}: of another training or version ({what}); delete it to start anew"
            ) from error

    def log(self, step: int, seconds: float, figures: Mapping[str, float]) -> None:
        """Append a line to ``log.jsonl``."""
        row: dict[str, float] = {"step": step, "minutes": round(seconds / 60, 2)}
        row |= {name: round(value, 4) for name, value in figures.items()}
        path = self.folder / "log.jsonl"
        with named(path), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
