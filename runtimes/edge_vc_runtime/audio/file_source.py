"""A recording as a source: any sample rate and number of channels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.formats import readable_names, readable_suffixes
from edge_vc_runtime.audio.reader import open_reader
from edge_vc_runtime.audio.source import BLOCK_FRAMES, SourceKind
from edge_vc_runtime.samples import Samples

_RATES = (1000, 768_000)


class FileSource:
    """An audio file; channels are averaged."""

    def __init__(self, path: Path) -> None:
        self._reader = open_reader(path)
        self.name = str(path)
        self.sample_rate = self._reader.sample_rate
        self.channels = self._reader.channels
        self.frames: int | None = self._reader.frames
        self.notice: str | None = None
        if self._reader.truncated:
            self.notice = f"{path}: cut short, its header promises more than it holds"
        low, high = _RATES
        if not low <= self.sample_rate <= high:
            self.close()
            raise AudioIOError(f"{path}: {self.sample_rate} Hz is outside {low} to {high} Hz")
        if not self.frames:
            self.close()
            raise AudioIOError(f"{path}: holds no samples; give a recording that is not empty")

    def blocks(self) -> Iterator[Samples]:
        """Yield blocks ``[T]``; raises `AudioIOError` at the first NaN or infinity."""
        start = 0
        for block in self._reader.blocks(BLOCK_FRAMES):
            with np.errstate(invalid="ignore", over="ignore"):
                mono: Samples = block.mean(axis=1, dtype=np.float32)
            finite = np.isfinite(mono)
            if not finite.all():
                bad = start + int(np.argmin(finite))
                raise AudioIOError(f"{self.name}: sample {bad} is NaN or infinite; export it again")
            start += mono.shape[0]
            yield mono

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


FILE_SOURCE = SourceKind(
    name="file",
    usage=f"a file ({readable_names()})",
    accepts=lambda argument: Path(argument).suffix.lower() in readable_suffixes(),
    open=lambda argument, rate: FileSource(Path(argument)),
)
