"""WAV files, read block by block with numpy alone: PCM of 8 to 32 bits and floats.

The standard library's reader knows neither floats nor, before Python 3.12, the extensible header
that every file with more than two channels or 16 bits carries.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.audio.error import AudioIOError

Channels = NDArray[np.float32]
"""Audio ``[T, channels]``, full scale at 1.0."""

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_WIDTHS = {_PCM: (8, 16, 24, 32), _FLOAT: (32, 64)}
_MAX_CHANNELS = 64
_OPEN_ENDED = (0, 0xFFFFFFFF)  # what a writer leaves that could not go back to its header


class UnknownWavError(AudioIOError):
    """Not a WAV file, or one in a coding that needs a full audio library."""


@dataclass(frozen=True)
class _Format:
    coding: int
    channels: int
    sample_rate: int
    bits: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.bits // 8


class WavFile:
    """An open WAV file; raises `UnknownWavError` for other kinds, `AudioIOError` if broken."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("rb")
        try:
            self._format, self._offset, promised = _read_header(self._file, path)
            there = self._file.seek(0, 2) - self._offset
        except BaseException:
            self._file.close()
            raise
        whole = there if promised in _OPEN_ENDED else promised
        self.truncated = whole > there
        """Whether the header promises more than the file holds."""
        self.frames = min(whole, there) // self._format.frame_bytes
        self.sample_rate = self._format.sample_rate
        """Hz."""
        self.channels = self._format.channels

    def blocks(self, frames: int) -> Iterator[Channels]:
        """Yield the file as ``[<= frames, channels]``, in order."""
        self._file.seek(self._offset)
        left = self.frames
        while left:
            data = self._file.read(min(left, frames) * self._format.frame_bytes)
            count = len(data) // self._format.frame_bytes
            if not count:
                raise AudioIOError(f"{self.path}: became shorter while it was read")
            left -= count
            values = _decode(data[: count * self._format.frame_bytes], self._format)
            yield values.reshape(count, self.channels)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _read_header(file: BinaryIO, path: Path) -> tuple[_Format, int, int]:
    """Return the format, where the samples begin and how many bytes the header promises."""
    head = file.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        raise UnknownWavError(f"{path}: is not a WAV file")
    found: _Format | None = None
    while len(chunk := file.read(8)) == 8:
        name, size = chunk[:4], int.from_bytes(chunk[4:], "little")
        if name == b"data":
            if found is None:
                raise AudioIOError(f"{path}: broken WAV file, its samples come before their format")
            return found, file.tell(), size
        if name == b"fmt ":
            found = _parse_format(file.read(min(size, 64)), path)
            size -= min(size, 64)
        file.seek(size + (int.from_bytes(chunk[4:], "little") & 1), 1)
    raise AudioIOError(f"{path}: broken WAV file, it ends before its samples")


def _parse_format(data: bytes, path: Path) -> _Format:
    if len(data) < 16:
        raise AudioIOError(f"{path}: broken WAV file, its format is {len(data)} bytes long")
    coding, channels, rate, _, align, bits = struct.unpack("<HHIIHH", data[:16])
    if coding == _EXTENSIBLE and len(data) >= 26:
        coding = int.from_bytes(data[24:26], "little")
    if bits not in _WIDTHS.get(coding, ()):
        raise UnknownWavError(f"{path}: WAV coding {coding:#x} with {bits} bits")
    found = _Format(coding, channels, rate, bits)
    if not 1 <= channels <= _MAX_CHANNELS or align != found.frame_bytes:
        raise AudioIOError(
            f"{path}: broken WAV file, {channels} channels in frames of {align} bytes"
        )
    return found


def _decode(data: bytes, form: _Format) -> NDArray[np.float32]:
    if form.coding == _FLOAT:
        with np.errstate(over="ignore"):
            return np.frombuffer(data, f"<f{form.bits // 8}").astype(np.float32)
    if form.bits == 8:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128.0) / 128.0
    if form.bits == 24:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.reshape(-1).view("<i4").astype(np.float32) / np.float32(1 << 31)
    values = np.frombuffer(data, f"<i{form.bits // 8}").astype(np.float32)
    return values / np.float32(1 << (form.bits - 1))
