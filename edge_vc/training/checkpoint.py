"""A training run on disk: one file that is whole or not there, and a log of lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch


class Stateful(Protocol):
    """A network, an optimiser, an average: whatever a run must go on with."""

    def state_dict(self) -> dict[str, Any]:
        """Return everything as tensors and plain values."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Restore it."""
        ...


class Checkpoint:
    """Keeps the parts of a run in ``folder``."""

    def __init__(self, folder: Path, parts: Mapping[str, Stateful]) -> None:
        self.folder, self.parts = folder, parts

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / "checkpoint.pt"

    def save(self, step: int, seconds: float) -> None:
        """Store every part, and how far the run is; a kill leaves the last file."""
        state: dict[str, Any] = {name: part.state_dict() for name, part in self.parts.items()}
        part = self.path.with_suffix(".part")
        torch.save(state | {"step": step, "seconds": seconds}, part)
        part.replace(self.path)

    def restore(self) -> tuple[int, float]:
        """Load every part; return step and seconds, zeros where nothing was stored."""
        if not self.path.exists():
            return 0, 0.0
        state = torch.load(self.path, map_location="cpu", weights_only=True)
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        return int(state["step"]), float(state["seconds"])

    def log(self, step: int, seconds: float, figures: Mapping[str, float]) -> None:
        """Append a line to ``log.jsonl``."""
        row: dict[str, float] = {"step": step, "minutes": round(seconds / 60, 2)}
        row |= {name: round(value, 4) for name, value in figures.items()}
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
