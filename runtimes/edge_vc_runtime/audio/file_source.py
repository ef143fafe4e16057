"""A recording as a source: any sample rate and number of channels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import dropwhile, islice
from pathlib import Path

import numpy as np

from edge_vc_runtime.audio.downmix import Downmix
from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.formats import readable_names, readable_suffixes
from edge_vc_runtime.audio.reader import open_reader
from edge_vc_runtime.audio.source import BLOCK_FRAMES, SourceKind
from edge_vc_runtime.audio.wav_header import CONTINUED
from edge_vc_runtime.samples import Samples

_LOOK_SECONDS = 10


class FileSource:
    """An audio file, mixed to mono, see `Downmix`."""

    def __init__(self, path: Path) -> None:
        self._reader = open_reader(path)
        self.name = str(path)
        self.sample_rate = self._reader.sample_rate
        self.channels = self._reader.channels
        self.frames = self._reader.frames
        if self.frames == 0:
            self.close()
            raise AudioIOError(f"{path}: holds no samples; give a recording that is not empty")
        self._downmix = look_for_cancelling(path, self.channels)
        facts = [self._downmix.notice] if self._downmix.notice else []
        if self._reader.truncated:
            facts.append("cut short, its header promises more than it holds")
        if self._reader.continued:
            facts.append(CONTINUED)
        self.notice: str | None = f"{path}: {'; '.join(facts)}" if facts else None

    def blocks(self) -> Iterator[Samples]:
        """Yield blocks ``[T]``; raises `AudioIOError` at the first NaN or infinity."""
        start = 0
        for block in self._reader.blocks(BLOCK_FRAMES):
            mono = self._downmix.mix(block)
            finite = np.isfinite(mono)
            if not finite.all():
                bad = start + int(np.argmin(finite))
                raise AudioIOError(f"{self.name}: sample {bad} is NaN or infinite; export it again")
            start += mono.shape[0]
            yield mono

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


def look_for_cancelling(path: Path, channels: int) -> Downmix:
    """Return how to mix a file's channels, from its first ten seconds that are not silent."""
    downmix = Downmix(channels)
    if channels > 1:
        reader = open_reader(path)
        try:
            count = _LOOK_SECONDS * reader.sample_rate // BLOCK_FRAMES + 1
            with suppress(AudioIOError):  # the code that reads the file reports errors
                audible = dropwhile(downmix.silent, reader.blocks(BLOCK_FRAMES))
                downmix.decide(islice(audible, count))
        finally:
            reader.close()
    return downmix


def reading_notice(path: Path) -> str | None:
    """Return one line if a file is not read exactly as stored; otherwise None.

    This is the case if its channels cancel each other or more data follows its samples. Also None
    if it is not audio, which is reported by the code that reads it.
    """
    try:
        reader = open_reader(path)
        reader.close()
        notice = look_for_cancelling(path, reader.channels).notice
    except AudioIOError:
        return None
    facts = [fact for fact in (notice, CONTINUED if reader.continued else None) if fact]
    return f"{path}: {'; '.join(facts)}" if facts else None


FILE_SOURCE = SourceKind(
    name="file",
    usage=f"a file ({readable_names()})",
    accepts=lambda argument: Path(argument).suffix.lower() in readable_suffixes(),
    open=lambda argument, rate: FileSource(Path(argument)),
)
