"""The one reader of audio files: WAV with numpy alone, everything else by libsndfile."""

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
    """Length that the header states, None where it leaves that open."""
    truncated: bool
    """Whether the header promises more than the file holds."""
    continued: bool
    """Whether more samples lie behind those that are read."""

    def blocks(self, frames: int) -> Iterator[Channels]:
        """Yield the file as ``[<= frames, channels]``, in order; raises `AudioIOError`."""

    def close(self) -> None:
        """Close the file."""


def open_reader(path: Path) -> AudioReader:
    """Open an audio file by its content, whatever its suffix; raises `AudioIOError`.

    Also for a rate that no recorder has: a few thousand samples would be hours.
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
"""Frames that no file has: libsndfile's way to say that it does not know."""


class _SoundFile:
    """What libsndfile reads; see `edge_vc_runtime.audio.formats`."""

    def __init__(self, path: Path, file: Any) -> None:
        self._path = path
        self.truncated = self.continued = False
        self._file = file
        self.sample_rate = int(file.samplerate)
        self.channels = int(file.channels)
        self.frames = int(file.frames) if file.frames < _UNKNOWN else None

    def blocks(self, frames: int) -> Iterator[Channels]:
        # Behind the last frame there may be a tag, which a decoder takes for a broken frame; what
        # an MP3 says of its length may be a guess.
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
    """Open a file that is only read on.

    soundfile seeks to where it is after every read. In MP3, libsndfile then loses its place, and
    in FLAC of unknown length it cannot seek at all. A descriptor has no name, which could be too
    long: 1024 bytes are all that it takes.
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
