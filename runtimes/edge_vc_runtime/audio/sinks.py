"""Where audio goes: a file that appears only when it is whole, or raw samples on a stream."""

from __future__ import annotations

import os
import wave
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.audio.wav import AudioError
from edge_vc_runtime.samples import Samples

_WAV_LIMIT = (1 << 32) - 4096  # a RIFF header counts bytes in 32 bits
_LIBRARY_SUFFIXES = (".flac", ".ogg", ".aiff", ".aif", ".w64", ".rf64")


class Sink(Protocol):
    """Takes mono audio in blocks; ends with `finish`, or with `abort` and leaves nothing."""

    name: str

    def write(self, samples: Samples) -> None:
        """Append ``[T]``; values beyond full scale are clipped."""

    def finish(self) -> None:
        """Make the result visible."""

    def abort(self) -> None:
        """Remove what was written; harmless after `finish`."""


class FileSink:
    """A 16-bit mono file, written beside its place and renamed when it is whole.

    Raises `AudioError` before anything is written when the place or the suffix will not do.
    """

    def __init__(self, path: Path, sample_rate: int) -> None:
        self.name = str(path)
        self._path = _check_place(path)
        self._part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        self._encoder = _open_encoder(self._path.suffix.lower(), self._part, sample_rate, path)

    def write(self, samples: Samples) -> None:
        """Append ``[T]``; raises `AudioError` when the disk is full or the audio is not finite."""
        self._guard(lambda: self._encoder.write(to_int16(samples, self.name)))

    def finish(self) -> None:
        """Close the file, put it on disk and give it its name."""
        self._guard(self._encoder.close)
        with self._part.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(self._part, self._path)

    def abort(self) -> None:
        """Remove what was written; harmless after `finish`."""
        with suppress(OSError, RuntimeError):  # a full disk stays full; the part goes all the same
            self._encoder.close()
        self._part.unlink(missing_ok=True)

    def _guard(self, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:
            raise AudioError(f"{self.name}: {error.strerror or error}") from error
        except RuntimeError as error:  # libsndfile's way to say the same
            raise AudioError(f"{self.name}: {error}") from error


class RawSink:
    """Raw S16_LE mono on a stream, flushed block by block."""

    def __init__(self, stream: BinaryIO) -> None:
        self.name = "stdout"
        self._stream = stream

    def write(self, samples: Samples) -> None:
        """Append ``[T]`` and flush."""
        self._stream.write(to_int16(samples, self.name).tobytes())
        self._stream.flush()

    def finish(self) -> None:
        """Nothing is left to do: every block was flushed."""

    def abort(self) -> None:
        """What was heard cannot be taken back."""


class _WavEncoder:
    """The standard library's writer behind two verbs."""

    def __init__(self, part: Path, sample_rate: int, path: Path) -> None:
        self._path = path
        self._bytes = 0
        self._file = part.open("xb")
        self._wave = wave.open(self._file, "wb")  # noqa: SIM115  closed by close
        self._wave.setparams((1, 2, sample_rate, 0, "NONE", ""))

    def write(self, values: NDArray[np.int16]) -> None:
        self._bytes += values.nbytes
        if self._bytes > _WAV_LIMIT:
            raise AudioError(f"{self._path}: a WAV file holds 4 GB at most; write .flac instead")
        self._wave.writeframes(values.tobytes())

    def close(self) -> None:
        try:
            self._wave.close()
        finally:
            self._file.close()


def to_int16(samples: Samples, name: str) -> NDArray[np.int16]:
    """Return 16-bit values; raises `AudioError` when the model produced NaN or infinity."""
    if not np.isfinite(samples).all():
        raise AudioError(f"{name}: the model produced NaN or infinity; check its bundle")
    values: NDArray[np.int16] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2")
    return values


def _check_place(path: Path) -> Path:
    """Return the file that will be replaced, links resolved."""
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        raise AudioError(f"{path}: is not a file; raw audio on stdout is -")
    if not place.parent.is_dir():
        raise AudioError(f"{path}: the folder {place.parent} does not exist")
    return place


def _open_encoder(suffix: str, part: Path, sample_rate: int, path: Path) -> Any:
    try:
        if suffix == ".wav":
            return _WavEncoder(part, sample_rate, path)
        if suffix in _LIBRARY_SUFFIXES:
            return _open_soundfile(suffix, part, sample_rate, path)
    except OSError as error:
        raise AudioError(f"{path}: {error.strerror or error}") from error
    raise AudioError(f"{path}: cannot write {suffix or 'a file without suffix'}; use .wav")


def _open_soundfile(suffix: str, part: Path, sample_rate: int, path: Path) -> Any:
    try:
        import soundfile
    except ImportError as error:
        raise AudioError(
            f"{path}: writing {suffix} needs soundfile: pip install 'edge-vc-runtime[audio]'"
        ) from error
    kind = {".aif": "AIFF"}.get(suffix, suffix.lstrip(".").upper())
    try:
        return soundfile.SoundFile(part, "x", sample_rate, 1, format=kind)
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).strip().rstrip(".")
        raise AudioError(f"{path}: {reason}") from error
