"""A recording as a sink; the file appears only when it is complete."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edge_vc_runtime.audio.encoders import open_encoder
from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.audio.formats import writable_names, writable_suffixes
from edge_vc_runtime.audio.int16 import to_int16
from edge_vc_runtime.audio.sink import SinkKind
from edge_vc_runtime.files.error import OutputError
from edge_vc_runtime.files.part_file import PartFile
from edge_vc_runtime.files.writing import final_place
from edge_vc_runtime.samples import Samples


class FileSink:
    """A 16-bit mono file, written beside its destination and renamed when it is complete.

    Raises `AudioIOError` before anything is written if the folder or the suffix is not usable.
    """

    def __init__(self, path: Path, sample_rate: int) -> None:
        self.name = str(path)
        self._part = PartFile(self._place(path))
        try:
            self._guard(self._part.open)
            self._encoder = open_encoder(self._part.descriptor, sample_rate, path)
        except BaseException:  # e.g. a signal: nobody else knows the partial file yet
            self._part.remove()
            raise

    def write(self, samples: Samples) -> None:
        """Append ``[T]``; raises `AudioIOError` for a full disk or audio that is not finite."""
        self._guard(lambda: self._encoder.write(to_int16(samples, self.name)))

    def finish(self) -> None:
        """Close the file, flush it to disk and rename it."""
        self._guard(self._encoder.close)
        self._guard(self._part.commit)
        self._part.remove()

    def abort(self) -> None:
        """Remove what was written; harmless after `finish`."""
        with suppress(OSError, RuntimeError):  # a full disk; the file is removed anyway
            self._encoder.close()
        self._part.remove()

    def _place(self, path: Path) -> Path:
        """Return the file that will be replaced, links resolved."""
        try:
            place = final_place(path)
        except OutputError as error:
            raise AudioIOError(f"{path}: is not a file; raw audio on stdout is -") from error
        if not place.parent.is_dir():
            raise AudioIOError(f"{path}: the folder {place.parent} does not exist")
        return place

    def _guard(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError as error:
            raise AudioIOError(f"{self.name}: {error.strerror or error}") from error
        except RuntimeError as error:  # libsndfile's equivalent
            raise AudioIOError(f"{self.name}: {self._reason(error)}") from error

    def _reason(self, error: RuntimeError) -> str:
        """Return the reason for a failure; libsndfile does not report the system's error."""
        with suppress(OSError):
            if not os.fstatvfs(self._part.descriptor).f_bavail:
                return os.strerror(errno.ENOSPC)
        return str(error)


FILE_SINK = SinkKind(
    name="file",
    usage=f"a file ({writable_names()})",
    accepts=lambda argument: Path(argument).suffix.lower() in writable_suffixes(),
    open=lambda argument, rate: FileSink(Path(argument), rate),
)
