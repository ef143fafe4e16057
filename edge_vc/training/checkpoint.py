"""The checkpoint of a training run, replaced atomically, and its log."""

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
    """A checkpoint that does not belong to this run; the message is one line naming the file."""


class Stateful(Protocol):
    """Anything a resumed run has to restore: a network, an optimiser, a moving average."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything as tensors and plain values."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Restore what `state_dict` returned."""
        ...


class Checkpoint:
    """Stores the parts of a run in ``folder`` and restores them when the run resumes."""

    def __init__(self, folder: Path, parts: Mapping[str, Stateful]) -> None:
        self.folder, self.parts = folder, parts

    @property
    def path(self) -> Path:
        """Path of the checkpoint file."""
        return self.folder / "checkpoint.pt"

    def save(self, step: int, seconds: float) -> None:
        """Store every part with the step and the seconds so far.

        The file is written next to the old one and then renamed, so a run killed at any moment
        leaves one complete checkpoint behind.
        """
        state: dict[str, Any] = {name: part.state_dict() for name, part in self.parts.items()}
        content = io.BytesIO()
        torch.save(state | {"step": step, "seconds": seconds}, content)
        write_whole(self.path, content.getvalue())

    def restore(self) -> tuple[int, float]:
        """Load every part; return the step and the seconds so far, zeros if nothing was stored.

        Raises `CheckpointError` if the parts or their sizes differ.
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
                f"{self.path}: of another training run or version ({what}); delete it to start anew"
            ) from error

    def log(self, step: int, seconds: float, figures: Mapping[str, float]) -> None:
        """Append a line to ``log.jsonl``."""
        row: dict[str, float] = {"step": step, "minutes": round(seconds / 60, 2)}
        row |= {name: round(value, 4) for name, value in figures.items()}
        path = self.folder / "log.jsonl"
        with named(path), path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
