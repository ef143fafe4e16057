"""The only reader of audio files: WAV with numpy alone, all other formats by libsndfile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from edge_vc_runtime.audio.error import AudioIOError, check_rate
from edge_vc_runtime.audio.formats import readable_names
from edge_vc_runtime.audio.open_caf import PatchedFile, open_length_caf
from edge_vc_runtime.audio.wav import Channels, WavFile
from edge_vc_runtime.audio.wav_header import UnknownWavError


class AudioReader(Protocol):
    """An open audio file."""

    sample_rate: int
    """Hz."""
    channels: int
    frames: int | None
    """Length given by the header, None if unspecified."""
    truncated: bool
    """Whether the header states more than the file contains."""
    continued: bool
    """Whether more samples follow those that are read."""

    def blocks(self, frames: int) -> Iterator[Channels]:
        """Yield the file in blocks ``[<= frames, channels]``; raises `AudioIOError`."""

    def close(self) -> None:
        """Close the file."""


def open_reader(path: Path) -> AudioReader:
    """Open an audio file by its content, regardless of its suffix; raises `AudioIOError`.

    Also raised for an implausible rate, see `check_rate`.
    """
    reader = _opened(path)
    try:
        check_rate(str(path), reader.sample_rate)
    except AudioIOError:
        reader.close()
        raise
    return reader


def _opened(path: Path) -> AudioReader:
    if path.exists() and not path.is_file():
        raise AudioIOError(f"{path}: is not a file; raw audio on stdin is -")
    try:
        return WavFile(path)
    except UnknownWavError as unknown:
        return _open_soundfile(path, unknown)
    except OSError as error:
        raise AudioIOError(f"{path}: {error.strerror or error}") from error


_UNKNOWN = 1 << 40
"""From this number of frames on, libsndfile means that it does not know the length."""


class _SoundFile:
    """A file read by libsndfile; see `edge_vc_runtime.audio.formats`."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self.truncated = self.continued = False
        self._file = file
        self.sample_rate = int(file.samplerate)
        self.channels = int(file.channels)
        self.frames = int(file.frames) if file.frames < _UNKNOWN else None

    def blocks(self, frames: int) -> Iterator[Channels]:
        # A tag may follow the last frame, which a decoder would take for a broken frame; the length
        # stated by an MP3 may be a guess.
        left = self.frames if self._file.format != "MP3" else None
        while left is None or left > 0:
            count = frames if left is None else min(frames, left)
            try:
                block = self._file.read(count, dtype="float32", always_2d=True)
            except RuntimeError as error:
                raise AudioIOError(f"{self._path}: {error}") from error
            if not block.shape[0]:
                return
            left = None if left is None else left - block.shape[0]
            yield block

    def close(self) -> None:
        self._file.close()


def _front_to_back(given: int | PatchedFile) -> Any:
    """Open a file for sequential reading only.

    soundfile seeks to the current position after every read. In MP3, libsndfile then loses its
    position, and in FLAC of unknown length it cannot seek at all. A descriptor is passed because
    libsndfile accepts names of at most 1024 bytes.
    """
    import soundfile

    file = soundfile.SoundFile(given)
    file.seekable = lambda: False
    return file


def _open_soundfile(path: Path, unknown: UnknownWavError) -> AudioReader:
    try:
        import soundfile
    except ImportError as error:
        raise AudioIOError(
            f"{unknown}; other kinds need soundfile: pip install 'edge-vc-runtime[audio]'"
        ) from error
    try:
        given = open_length_caf(path) or os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        return _SoundFile(path, _front_to_back(given))
    except OSError as error:
        raise AudioIOError(f"{path}: {error.strerror or error}") from error
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).strip().rstrip(".")
        raise AudioIOError(f"{path}: is not audio ({reason}); give {readable_names()}") from error
