"""A stream of vectors parallel to the audio: one per hop, for a bundle's stream input."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol
from zipfile import BadZipFile, ZipFile

import numpy as np

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.bundle.input_spec import InputSpec, ModelInputError, find_input
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.session import Session

MOST_BYTES = 1 << 28
"""Largest file: an hour of 256 numbers at 100 hops per second is 370 MB, of 40 it is 58 MB."""

HOLD_S = 0.5
"""Maximum time for which a timed vector is held; after it the input is zero (unknown) again."""


class AuxStream(Protocol):
    """Supplies the vector for the next hop: from a camera, a script, a file."""

    def next(self, out: Samples) -> None:
        """Write float32 ``[size]`` into ``out``; zeros if nothing is known. Never waits."""


class FileStream:
    """Vectors from a file that `read_rows` accepts, one per hop; zeros after its end."""

    def __init__(self, path: Path, spec: InputSpec, hop_s: float) -> None:
        """Read the file; raises `AudioIOError` if it is invalid or of another vector size."""
        self._rows = read_rows(path, spec, hop_s)
        self._hop = 0

    def next(self, out: Samples) -> None:
        """Write the vector for the next hop."""
        if self._hop < len(self._rows):
            np.copyto(out, self._rows[self._hop])
        else:
            out.fill(0.0)
        self._hop += 1


class StreamedSession:
    """A session whose stream input gets a vector before every hop; itself a `HopConverter`."""

    def __init__(self, session: Session, name: str, stream: AuxStream) -> None:
        """Raise `ModelInputError` for an input that does not exist or is not a stream."""
        self.session = session
        self.hop, self.sample_rate, self.delay = session.hop, session.sample_rate, session.delay
        self._name, self._stream = name, stream
        self._vector = np.zeros(stream_spec(session.inputs, name).size, np.float32)

    def step(self, audio: Samples) -> Samples:
        """Convert one hop, float32 ``[hop]``, with the stream's next vector."""
        self._stream.next(self._vector)
        self.session.set_vector(self._name, self._vector)
        return self.session.step(audio)

    def reset(self) -> None:
        """Reset the model to its initial state; the stream continues at its current position."""
        self.session.reset()


def stream_spec(inputs: Sequence[InputSpec], name: str) -> InputSpec:
    """Return the stream input with this name; raises `ModelInputError` for any other input."""
    spec = find_input(inputs, name)
    if spec.kind != "stream":
        raise ModelInputError(
            f"{name} is not a stream: give --set {name}=VALUE, it stays as it is set"
        )
    return spec


def named_stream(given: str) -> tuple[str, str]:
    """Return name and location from ``--stream NAME=PLACE``; raises `ModelInputError`."""
    name, equals, place = given.partition("=")
    if not equals or not place:
        raise ModelInputError(f"--stream {given!a:.60}: expected NAME=FILE.npy")
    return name, place


def open_stream(session: Session, given: str) -> StreamedSession:
    """Return a session with the stream of ``--stream NAME=FILE``; raises as its parts do."""
    name, path = named_stream(given)
    if path.startswith("unix:"):
        raise ModelInputError(f"--stream {given!a:.60}: a socket is for a live voice; give a file")
    spec, hop_s = stream_spec(session.inputs, name), session.hop / session.sample_rate
    return StreamedSession(session, name, FileStream(Path(path), spec, hop_s))


def read_rows(path: Path, spec: InputSpec, hop_s: float) -> Samples:
    """Return a file's vectors ``[hops, size]``, within the input's range.

    A ``.npy`` file holds a row for every hop of ``hop_s``. A ``.npz`` file holds ``times`` ``[N]``,
    increasing seconds from the beginning, and ``values`` ``[N, size]``: every hop gets the newest
    vector that is not later than its end, for `HOLD_S` at most. Raises `AudioIOError`.
    """
    wanted = f"a .npy file of floats [hops, {spec.size}] for {spec.name}"
    try:
        if path.stat().st_size > MOST_BYTES:
            raise AudioIOError(f"{path}: more than {MOST_BYTES >> 20} MB; give a shorter stream")
        if path.suffix == ".npz":
            wanted = f"a .npz file of times [N] and values [N, {spec.size}] for {spec.name}"
            return _timed(path, spec, hop_s, wanted)
        rows = np.load(path, allow_pickle=False)
    except OSError as error:
        raise AudioIOError(f"{path}: {error.strerror or 'not ' + wanted}") from error
    except (ValueError, LookupError, EOFError, MemoryError, BadZipFile, zlib.error) as error:
        raise AudioIOError(f"{path}: not {wanted}") from error
    return _checked(path, rows, spec, wanted)


def _timed(path: Path, spec: InputSpec, hop_s: float, wanted: str) -> Samples:
    """Return the row for every hop from a ``.npz`` file with times."""
    with ZipFile(path) as archive:  # check the unpacked size before unpacking
        if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
            raise AudioIOError(f"{path}: unpacks to more than {MOST_BYTES >> 20} MB")
    with np.load(path, allow_pickle=False) as stored:
        times, values = np.asarray(stored["times"]), _checked(path, stored["values"], spec, wanted)
    if times.dtype.kind not in "fiu" or times.shape != (len(values),) or not len(values):
        raise AudioIOError(f"{path}: not {wanted}")
    if not np.isfinite(times).all() or (np.diff(times) < 0).any() or times[0] < 0:
        raise AudioIOError(f"{path}: its times have to rise, in seconds from the beginning")
    hops = int(min((times[-1] + HOLD_S) / hop_s, MOST_BYTES // (4 * spec.size))) + 1
    ends = (np.arange(hops) + 1) * hop_s
    newest = np.searchsorted(times, ends, "right") - 1
    known = (newest >= 0) & (ends - times[newest] < HOLD_S)
    return np.where(known[:, None], values[newest], np.float32(0))


def _checked(path: Path, rows: object, spec: InputSpec, wanted: str) -> Samples:
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != spec.size:
        shape = list(getattr(rows, "shape", ()))
        raise AudioIOError(f"{path}: shape {shape}, expected {wanted}")
    if rows.dtype.kind not in "fiu" or not np.isfinite(rows).all():
        raise AudioIOError(f"{path}: holds what is not finite numbers, expected {wanted}")
    return np.clip(rows, spec.low, spec.high).astype(np.float32)
