"""The one reader of audio files: WAV with numpy alone, everything else by libsndfile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.formats import readable_names
from edge_vc_runtime.audio.wav import Channels, UnknownWavError, WavFile


class AudioReader(Protocol):
    """An open audio file."""

    sample_rate: int
    """Hz."""
    channels: int
    frames: int
    truncated: bool
    """Whether the header promises more than the file holds."""

    def blocks(self, frames: int) -> Iterator[Channels]:
        """Yield the file as ``[<= frames, channels]``, in order; raises `AudioIOError`."""

    def close(self) -> None:
        """Close the file."""


def open_reader(path: Path) -> AudioReader:
    """Open an audio file by its content, whatever its suffix; raises `AudioIOError`."""
    if path.exists() and not path.is_file():
        raise AudioIOError(f"{path}: is not a file; raw audio on stdin is -")
    try:
        return WavFile(path)
    except UnknownWavError as unknown:
        return _open_soundfile(path, unknown)
    except OSError as error:
        raise AudioIOError(f"{path}: {error.strerror or error}") from error


class _SoundFile:
    """What libsndfile reads; see `edge_vc_runtime.audio.formats`."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self.truncated = False
        self._file = file
        self.sample_rate = int(file.samplerate)
        self.channels = int(file.channels)
        self.frames = int(file.frames)

    def blocks(self, frames: int) -> Iterator[Channels]:
        while True:
            try:
                block = self._file.read(frames, dtype="float32", always_2d=True)
            except RuntimeError as error:
                raise AudioIOError(f"{self._path}: {error}") from error
            if not block.shape[0]:
                return
            yield block

    def close(self) -> None:
        self._file.close()


def _open_soundfile(path: Path, unknown: UnknownWavError) -> AudioReader:
    try:
        import soundfile
    except ImportError as error:
        raise AudioIOError(
            f"{unknown}; other kinds need soundfile: pip install 'edge-vc-runtime[audio]'"
        ) from error
    try:
        return _SoundFile(path, soundfile.SoundFile(path))
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).strip().rstrip(".")
        raise AudioIOError(f"{path}: is not audio ({reason}); give {readable_names()}") from error
