"""Runs a teacher's ONNX graph: audio in its type; states, constants, F0 and contents by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.teachers.io_signature import IoSignature, read_io_signature
from edge_vc.teachers.onnx_session import open_session
from edge_vc.teachers.ports import Frames
from edge_vc.teachers.spec import TeacherError

if TYPE_CHECKING:
    from edge_vc_runtime.engines.onnx_engine.library import ort

States = dict[str, NDArray[np.generic]]
"""Tensors that are fed by name."""


class ContentGraph:
    """A content encoder's graph: audio in, ``[1, N, C]`` out, held to the requested frame count."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    @classmethod
    def open(cls, path: Path, threads: int) -> ContentGraph:
        """Open the graph; raises `TeacherError`."""
        if not path.is_file():
            raise TeacherError(f'teacher.contents = "{path}": no such file')
        session = open_session(path, threads)
        return cls(Feed(path, session, read_io_signature(path, session, ""), 0))

    def __call__(self, audio: Samples, frames: int) -> NDArray[np.float32]:
        """Return ``[frames, C]``."""
        found = self._feed.run(audio, {})[0]
        if found.ndim != 3 or found.shape[0] != 1 or not found.shape[1]:
            raise TeacherError(f"teacher.contents returns {list(found.shape)}; [1, N, C] is needed")
        nearest = np.arange(frames) * found.shape[1] // frames
        contents: NDArray[np.float32] = found[0, nearest].astype(np.float32)
        return contents


class Feed:
    """Runs the graph on audio, together with all of its declared inputs."""

    def __init__(
        self,
        path: Path,
        session: ort.InferenceSession,
        signature: IoSignature,
        rate: int,
        *,
        encoder: ContentGraph | None = None,
        frame: int = 160,
        semitones: float = 0.0,
        channel: int = 0,
    ) -> None:
        """``frame`` is the step of F0 and contents in samples at ``rate`` Hz."""
        self.signature = signature
        self._path, self._session, self._rate = path, session, rate
        self._encoder, self._frame, self._semitones = encoder, frame, semitones
        self._channel = channel
        self._constants = {
            entry.port.name: entry.value(None) for entry in signature.given if not entry.role
        }
        self.follows = any(entry.role for entry in signature.given)
        """Whether an input depends on the recording."""

    def run(self, audio: Samples, states: States) -> tuple[NDArray[np.generic], States]:
        """Return the output for ``audio`` ``[T]`` as floats, and the following states."""
        signature = self.signature
        given = {**self._constants, **states, **self._following(audio)}
        if signature.audio:
            given[signature.audio] = _encoded(audio, signature.dtype).reshape(signature.shape)
        names = [signature.output, *(state.next_name for state in signature.states)]
        try:
            output, *following = self._session.run(names, given)
        except Exception as error:
            # onnxruntime exports no common base class of its errors.
            fact = " ".join(str(error).split())[:200]
            raise TeacherError(f"{self._path}: onnxruntime cannot run it: {fact}") from error
        return _decoded(output), dict(zip(states, following, strict=True))

    def convert(self, audio: Samples, states: States) -> tuple[NDArray[np.generic], States]:
        """Return `run`'s output as one channel of audio, and the following states."""
        output, following = self.run(audio, states)
        return _one_channel(output, self._channel), following

    def silent_states(self) -> States:
        """Return the states before the first run."""
        return {s.name: np.zeros(s.shape, s.dtype) for s in self.signature.states}

    def _following(self, audio: Samples) -> States:
        if not self.follows:
            return {}
        f0 = frame_f0(audio, self._rate, self._frame, self._semitones)
        contents = self._encoder(audio, len(f0)) if self._encoder else None
        frames = Frames(f0, contents)
        return {e.port.name: e.value(frames) for e in self.signature.given if e.role}


def frame_f0(audio: Samples, rate: int, frame: int, semitones: float) -> NDArray[np.float32]:
    """Return F0 in Hz every ``frame`` samples of ``audio`` ``[T]``, 0 where unvoiced."""
    from edge_vc.audio.pitch import track_pitch

    f0 = track_pitch(audio, rate, frame).f0[: -(-len(audio) // frame)]
    moved: NDArray[np.float32] = (f0 * 2.0 ** (semitones / 12)).astype(np.float32)
    return moved


def _encoded(audio: Samples, dtype: str) -> NDArray[np.generic]:
    if dtype == "int16":
        return np.rint(np.clip(audio, -1.0, 1.0) * 32767).astype(np.int16)
    return audio.astype(dtype)


def _decoded(output: NDArray[np.generic]) -> NDArray[np.generic]:
    return output.astype(np.float32) / 32768 if output.dtype == np.int16 else output


def _one_channel(output: NDArray[np.generic], channel: int) -> NDArray[np.generic]:
    """Return one channel of ``[1, channels, T]``."""
    channels = output.shape[-2] if output.ndim > 1 else 1
    if not channel:
        if channels > 1 and output.size == channels * output.shape[-1]:
            raise TeacherError(
                f"it returns {channels} channels {list(output.shape)}: set teacher.channel = 1 to "
                f"{channels}, the one to take"
            )
        return output
    if channel > channels:
        raise TeacherError(f"teacher.channel = {channel}: the output is {list(output.shape)}")
    return output[..., channel - 1, :] if output.ndim > 1 else output
