"""Read the artifacts of earlier stages from the run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edge_vc.labelling.labels import LabelledAudio, load_labels
from edge_vc_runtime.files.writing import write_whole

INDEX = "index.json"
STUDENT = "student.safetensors"


@dataclass(frozen=True)
class LabelledSpeech:
    """The teacher's labels, split into training and hold-out."""

    folder: Path
    train: tuple[str, ...]
    """File names."""
    holdout: tuple[str, ...]
    voices: Mapping[str, str] = field(default_factory=dict)
    """Target voice by file name; empty if there is only one voice."""

    @classmethod
    def open(cls, folder: Path) -> LabelledSpeech:
        """Open the artifact of the ``data`` stage."""
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        parts = tuple(index["train"]), tuple(index["holdout"])
        return cls(folder, *parts, index.get("voices", {}))

    def write_index(self) -> None:
        """Store the split beside the files."""
        index: dict[str, object] = {"train": list(self.train), "holdout": list(self.holdout)}
        if self.voices:
            index["voices"] = dict(self.voices)
        write_whole(self.folder / INDEX, json.dumps(index, indent=1))

    def load(self, names: Sequence[str]) -> list[LabelledAudio]:
        """Read examples by name."""
        return [load_labels(self.folder / name) for name in names]

    def voices_of(self, names: Sequence[str]) -> list[str]:
        """Return the target voice of each example; empty if there is only one voice."""
        return [self.voices[name] for name in names] if self.voices else []

    def speech(self, names: Sequence[str], seconds: float, sample_rate: int) -> list[Tensor]:
        """Read source recordings ``[1, 1, 1, T]`` in order, at most ``seconds`` in total."""
        left = round(seconds * sample_rate)
        recordings = []
        for name in names:
            if left <= 0:
                break
            source = load_labels(self.folder / name).source[:left]
            left -= len(source)
            recordings.append(as_tensor(source))
        return recordings


def as_tensor(audio: np.typing.NDArray[np.int16]) -> Tensor:
    """Return 16-bit ``[T]`` as ``[1, 1, 1, T]``, full scale at 1."""
    return torch.from_numpy(audio.astype(np.float32) / 32767)[None, None, None]
