"""Writers of 16-bit mono files: WAV with the standard library, all other formats by libsndfile."""

from __future__ import annotations

import os
import wave
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.formats import AudioFormat, writable_format, writable_suffixes
from edge_vc_runtime.audio.ogg_stream import number_stream

_HEADER = 44  # bytes that the standard library writes before the samples
_WAV_LIMIT = (1 << 32) - 4096  # a RIFF header counts bytes in 32 bits


class Encoder(Protocol):
    """A file being written; both methods may raise `OSError`, `RuntimeError`, `AudioIOError`."""

    def write(self, values: NDArray[np.int16]) -> None:
        """Append ``[T]``."""

    def close(self) -> None:
        """Complete the file."""


def check_suffix(path: str | Path) -> AudioFormat:
    """Return the format of a file's suffix; raises `AudioIOError` if there is none."""
    suffix = Path(path).suffix.lower()
    form = writable_format(suffix)
    if form is None:
        raise AudioIOError(
            f"{path}: cannot write {suffix or 'a file without suffix'}; use "
            f"{', '.join(writable_suffixes())}"
        )
    return form


def open_encoder(descriptor: int, sample_rate: int, path: Path) -> Encoder:
    """Write to an open, empty file in the format of ``path``'s suffix; raises `AudioIOError`.

    The caller keeps ownership of the descriptor.
    """
    form = check_suffix(path)
    try:
        if form.builtin:
            return _WavEncoder(descriptor, sample_rate, path)
        return _open_soundfile(form.container, descriptor, sample_rate, path)
    except OSError as error:
        raise AudioIOError(f"{path}: {error.strerror or error}") from error


class _WaveWriter(wave.Wave_write):
    """The standard library's writer, closed by `close` only.

    Its finaliser would write a header; of a writer that a signal interrupted before it had its
    parameters, it prints a traceback instead.
    """

    def __del__(self) -> None:
        pass


class _WavEncoder:
    """The standard library's writer as an `Encoder`."""

    def __init__(self, descriptor: int, sample_rate: int, path: Path) -> None:
        self._path = path
        self._bytes = 0
        # Unbuffered: every close would retry what a full disk did not take.
        self._file = os.fdopen(os.dup(descriptor), "r+b", buffering=0)
        try:
            self._wave = _WaveWriter(self._file)
            self._wave.setparams((1, 2, sample_rate, 0, "NONE", ""))
        except BaseException:  # e.g. a signal: nobody else knows this file yet
            self._file.close()
            raise

    def write(self, values: NDArray[np.int16]) -> None:
        self._bytes += values.nbytes
        if self._bytes > _WAV_LIMIT:
            raise AudioIOError(f"{self._path}: a WAV file holds 4 GB at most; write .flac instead")
        self._wave.writeframes(values.tobytes())

    def close(self) -> None:
        if self._file.closed:
            return
        try:
            self._wave.close()
            self._match_header()
        finally:
            self._file.close()

    def _match_header(self) -> None:
        """Match the header to the content: a full disk may have taken part of the last block."""
        there = self._file.seek(0, 2) - _HEADER
        if there == self._bytes:
            return
        for place, size in ((4, there - there % 2 + _HEADER - 8), (40, there - there % 2)):
            self._file.seek(place)
            self._file.write(size.to_bytes(4, "little"))


class _OggEncoder:
    """An `Encoder` that gives the same file for the same samples."""

    def __init__(self, encoder: Encoder, descriptor: int) -> None:
        self._encoder, self._descriptor = encoder, descriptor
        self._closed = False

    def write(self, values: NDArray[np.int16]) -> None:
        self._encoder.write(values)

    def close(self) -> None:
        self._encoder.close()
        if not self._closed:
            self._closed = True
            with os.fdopen(os.dup(self._descriptor), "r+b") as file:
                number_stream(file)


def _open_soundfile(container: str, descriptor: int, sample_rate: int, path: Path) -> Encoder:
    try:
        import soundfile
    except ImportError as error:
        raise AudioIOError(
            f"{path}: writing {path.suffix} needs soundfile: pip install 'edge-vc-runtime[audio]'"
        ) from error
    try:
        file: Encoder = soundfile.SoundFile(
            descriptor, "w", sample_rate, 1, format=container, closefd=False
        )
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).strip().rstrip(".")
        raise AudioIOError(f"{path}: {reason}") from error
    return _OggEncoder(file, descriptor) if container == "OGG" else file
