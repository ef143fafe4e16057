"""WAV files, read block by block with numpy alone: PCM of 8 to 32 bits and floats.

The standard library's reader supports neither floats nor, before Python 3.12, the extensible header
of every file with more than two channels or 16 bits.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.wav_header import (
    FLOAT,
    ForwardReader,
    WavFormat,
    more_samples_follow,
    read_wav_header,
)

Channels = NDArray[np.float32]
"""Audio ``[T, channels]``, full scale at 1.0."""


class WavFile:
    """An open WAV file; raises `UnknownWavError` for other kinds, `AudioIOError` if broken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb")
        try:
            reader = ForwardReader(self._file)
            header = read_wav_header(reader, str(path))
            there = self._file.seek(0, 2) - reader.position
            self.continued = self._continued(reader.position, header.size, there)
            """Whether more samples follow those that are read; ``cat`` makes such files."""
        except BaseException:
            self._file.close()
            raise
        self._format, self._offset = header.format, reader.position
        whole = there if header.size is None else header.size
        self.truncated = whole > there
        """Whether the header states more than the file contains."""
        self.frames: int | None = min(whole, there) // self._format.frame_bytes
        self.sample_rate = self._format.sample_rate
        """Hz."""
        self.channels = self._format.channels

    def blocks(self, frames: int) -> Iterator[Channels]:
        """Yield the file in blocks ``[<= frames, channels]``."""
        self._file.seek(self._offset)
        left = self.frames or 0
        while left:
            data = self._file.read(min(left, frames) * self._format.frame_bytes)
            count = len(data) // self._format.frame_bytes
            if not count:
                raise AudioIOError(f"{self.path}: became shorter while it was read")
            left -= count
            yield decode_frames(data[: count * self._format.frame_bytes], self._format)

    def _continued(self, start: int, size: int | None, there: int) -> bool:
        if size is None or size >= there:
            return False
        self._file.seek(start + size)
        return more_samples_follow(ForwardReader(self._file), size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def decode_frames(data: bytes, form: WavFormat) -> Channels:
    """Return whole frames as ``[T, channels]``."""
    return _decode(data, form).reshape(-1, form.channels)


def _decode(data: bytes, form: WavFormat) -> NDArray[np.float32]:
    width = form.bytes_per_sample
    if form.coding == FLOAT:
        with np.errstate(over="ignore"):
            return np.frombuffer(data, f"<f{width}").astype(np.float32)
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128.0) / 128.0
    if width == 3:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.reshape(-1).view("<i4").astype(np.float32) / np.float32(1 << 31)
    values = np.frombuffer(data, f"<i{width}")
    if form.low_three:
        values = values << 8  # the fourth byte is not audio
    return values.astype(np.float32) / np.float32(1 << (8 * width - 1))
