"""A stream of vectors beside the audio: one for every hop, into a bundle's stream input."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from edge_vc_runtime.audio.error import AudioIOError
from edge_vc_runtime.bundle.input_spec import InputSpec, ModelInputError, find_input
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.session import Session

MOST_BYTES = 1 << 28
"""Largest file: an hour of 256 numbers at 100 hops per second is 370 MB, of 40 it is 58 MB."""


class AuxStream(Protocol):
    """Gives the vector of the next hop: a camera, a script, a file."""

    def next(self, out: Samples) -> None:
        """Write float32 ``[size]`` into ``out``; zeros where nothing is known. Never waits."""


class FileStream:
    """Vectors of a ``.npy`` file, float ``[hops, size]``; zeros after its end."""

    def __init__(self, path: Path, spec: InputSpec) -> None:
        """Read it; raises `AudioIOError` for a file that is none, or of another size."""
        self._rows = _read(path, spec)
        self._hop = 0

    def next(self, out: Samples) -> None:
        """Write the vector of the next hop."""
        if self._hop < len(self._rows):
            np.copyto(out, self._rows[self._hop])
        else:
            out.fill(0.0)
        self._hop += 1


class StreamedSession:
    """A session whose stream input gets a vector before every hop; itself a `HopConverter`."""

    def __init__(self, session: Session, name: str, stream: AuxStream) -> None:
        """Raise `ModelInputError` for an input that is not there or is no stream."""
        self.session = session
        self.hop, self.sample_rate, self.delay = session.hop, session.sample_rate, session.delay
        self._name, self._stream = name, stream
        self._vector = np.zeros(stream_spec(session, name).size, np.float32)

    def step(self, audio: Samples) -> Samples:
        """Convert one hop, float32 ``[hop]``, with the stream's next vector."""
        self._stream.next(self._vector)
        self.session.set_vector(self._name, self._vector)
        return self.session.step(audio)

    def reset(self) -> None:
        """Return the model to its initial state; the stream goes on where it is."""
        self.session.reset()


def stream_spec(session: Session, name: str) -> InputSpec:
    """Return a stream input of a session; raises `ModelInputError` for any other."""
    spec = find_input(session.inputs, name)
    if spec.kind != "stream":
        raise ModelInputError(
            f"{name} is no stream: give --set {name}=VALUE, it stays as it is set"
        )
    return spec


def open_stream(session: Session, given: str) -> StreamedSession:
    """Return a session with the stream that ``--stream NAME=FILE`` names; raises what they do."""
    name, equals, path = given.partition("=")
    if not equals or not path:
        raise ModelInputError(f"--stream {given!a:.60}: expected NAME=FILE.npy")
    return StreamedSession(session, name, FileStream(Path(path), stream_spec(session, name)))


def _read(path: Path, spec: InputSpec) -> Samples:
    wanted = f"a .npy file of floats [hops, {spec.size}] for {spec.name}"
    try:
        if path.stat().st_size > MOST_BYTES:
            raise AudioIOError(f"{path}: more than {MOST_BYTES >> 20} MB; give a shorter stream")
        rows = np.load(path, allow_pickle=False)
    except OSError as error:
        raise AudioIOError(f"{path}: {error.strerror or 'not ' + wanted}") from error
    except (ValueError, EOFError, MemoryError) as error:
        raise AudioIOError(f"{path}: not {wanted}") from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != spec.size:
        shape = list(getattr(rows, "shape", ()))
        raise AudioIOError(f"{path}: shape {shape}, expected {wanted}")
    if rows.dtype.kind not in "fiu" or not np.isfinite(rows).all():
        raise AudioIOError(f"{path}: holds what is not finite numbers, expected {wanted}")
    return np.clip(rows, spec.low, spec.high).astype(np.float32)
