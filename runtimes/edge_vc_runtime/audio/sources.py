"""Where audio comes from: a file of any rate and channel count, or raw samples on a stream."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from edge_vc_runtime.audio.wav import AudioError, Channels, UnknownWavError, WavFile
from edge_vc_runtime.samples import Samples

BLOCK_FRAMES = 8192
_RATES = (1000, 768_000)


class Source(Protocol):
    """Mono audio in blocks."""

    name: str
    sample_rate: int
    """Hz."""
    channels: int
    """How many were mixed into one."""
    frames: int | None
    """Length at `sample_rate`, None when nobody knows it yet."""
    notice: str | None
    """Something odd that the listener should know, one line."""

    def blocks(self) -> Iterator[Samples]:
        """Yield blocks ``[T]`` until the audio ends; raises `AudioError` when it is unusable."""

    def close(self) -> None:
        """Let go of the file."""


class _Reader(Protocol):
    sample_rate: int
    channels: int
    frames: int

    def blocks(self, frames: int) -> Iterator[Channels]: ...

    def close(self) -> None: ...


class FileSource:
    """An audio file; channels are averaged."""

    def __init__(self, path: Path) -> None:
        self._reader = _open_reader(path)
        self.name = str(path)
        self.sample_rate = self._reader.sample_rate
        self.channels = self._reader.channels
        self.frames: int | None = self._reader.frames
        self.notice: str | None = None
        if getattr(self._reader, "truncated", False):
            self.notice = f"{path}: cut short, its header promises more than it holds"
        low, high = _RATES
        if not low <= self.sample_rate <= high:
            self.close()
            raise AudioError(f"{path}: {self.sample_rate} Hz is outside {low} to {high} Hz")
        if not self.frames:
            self.close()
            raise AudioError(f"{path}: holds no samples; give a recording that is not empty")

    def blocks(self) -> Iterator[Samples]:
        """Yield blocks ``[T]``; raises `AudioError` at the first NaN or infinity."""
        start = 0
        for block in self._reader.blocks(BLOCK_FRAMES):
            with np.errstate(invalid="ignore", over="ignore"):
                mono: Samples = block.mean(axis=1, dtype=np.float32)
            finite = np.isfinite(mono)
            if not finite.all():
                bad = start + int(np.argmin(finite))
                raise AudioError(f"{self.name}: sample {bad} is NaN or infinite; export it again")
            start += mono.shape[0]
            yield mono

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


class RawSource:
    """Raw S16_LE mono from a file descriptor, handed on as soon as it arrives."""

    def __init__(self, descriptor: int, sample_rate: int) -> None:
        self.name = "stdin"
        self.sample_rate = sample_rate
        self.channels = 1
        self.frames: int | None = None
        self.notice: str | None = None
        self._descriptor = descriptor

    def blocks(self) -> Iterator[Samples]:
        """Yield what each read returns; half a sample at the very end is dropped."""
        odd = b""
        while data := os.read(self._descriptor, 2 * BLOCK_FRAMES):
            data = odd + data
            even = len(data) & ~1
            odd = data[even:]
            if even:
                yield np.frombuffer(data[:even], "<i2").astype(np.float32) / np.float32(32768)

    def close(self) -> None:
        """Leave the descriptor to its owner."""


class _SoundFile:
    """Whatever libsndfile reads: FLAC, OGG, AIFF, compressed WAV."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self._file = file
        self.sample_rate = int(file.samplerate)
        self.channels = int(file.channels)
        self.frames = int(file.frames)

    def blocks(self, frames: int) -> Iterator[Channels]:
        while True:
            try:
                block = self._file.read(frames, dtype="float32", always_2d=True)
            except RuntimeError as error:
                raise AudioError(f"{self._path}: {error}") from error
            if not block.shape[0]:
                return
            yield block

    def close(self) -> None:
        self._file.close()


def _open_reader(path: Path) -> _Reader:
    if path.exists() and not path.is_file():
        raise AudioError(f"{path}: is not a file; raw audio on stdin is -")
    try:
        return WavFile(path)
    except UnknownWavError as unknown:
        return _open_soundfile(path, unknown)
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror or error}") from error


def _open_soundfile(path: Path, unknown: UnknownWavError) -> _Reader:
    try:
        import soundfile
    except ImportError as error:
        raise AudioError(
            f"{unknown}; other kinds need soundfile: pip install 'edge-vc-runtime[audio]'"
        ) from error
    try:
        return _SoundFile(path, soundfile.SoundFile(path))
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).strip().rstrip(".")
        raise AudioError(f"{path}: is not audio ({reason}); give WAV or FLAC") from error
