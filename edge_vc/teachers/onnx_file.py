"""An ONNX file as a teacher: whole recordings at once, or hop by hop with its states."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.settings.field import choice, number
from edge_vc.settings.paths import path_field
from edge_vc.teachers.answer import WaveformTeacher
from edge_vc.teachers.kind import TeacherKind
from edge_vc.teachers.spec import HIGHEST_RATE, TeacherError, WaveformSpec, given_file
from edge_vc_runtime.engines.onnx_engine.saturation import kernels_saturate

if TYPE_CHECKING:
    import onnxruntime as ort

    from edge_vc.teachers.io_signature import IoSignature

DEFAULT_RATE = 16_000


@dataclass(frozen=True)
class OnnxSpec(WaveformSpec):
    """An ONNX file, offline or streaming."""

    kind: str = choice("onnx", "onnx")
    sample_rate: int = number(0, 0, HIGHEST_RATE, "Hz")
    """0: as the file's metadata say, else 16000."""
    path: str = path_field(needed=True, example="teacher.onnx", suffixes=(".onnx",))
    """The graph; external weight files are beside it."""
    states: str = ""
    """``in=next, ...`` for a streaming graph; empty: inputs ``state.X`` with outputs ``next.X``."""
    hop: int = number(0, 0, 1_000_000, "samples")
    """Samples per run of a streaming graph; 0: the length of its input."""
    delay: int = number(-1, -1, 1_000_000, "samples")
    """What a streaming graph's answer lags behind; -1: as the file's metadata say, else 0."""
    multiple: int = number(1, 1, 10_000_000, "samples")
    """The input of an offline graph is padded with silence to a multiple of this."""
    threads: int = number(1, 1, 256, "threads")
    passing: ClassVar[tuple[str, ...]] = ("threads",)


def load(spec: OnnxSpec) -> WaveformTeacher:
    """Open the graph and wrap it; raises `TeacherError` when it is not audio in, audio out."""
    from edge_vc.teachers.io_signature import read_io_signature

    path = given_file(spec, "path")
    session = _open(path, spec.threads)
    signature = read_io_signature(path, session, spec.states)
    facts = session.get_modelmeta().custom_metadata_map
    rate = spec.sample_rate or _number(path, facts, "edge_vc.sample_rate", DEFAULT_RATE)
    output_rate = spec.output_sample_rate or rate
    if not signature.states:
        call = _Offline(session, signature)
        return WaveformTeacher(
            call, rate, output_rate, window=signature.length, multiple=spec.multiple
        )
    hop = signature.length or spec.hop
    if not hop or spec.hop not in (0, hop):
        raise TeacherError(
            f"{path}: teacher.hop = {spec.hop}; its input takes "
            f"{signature.length or 'any number of'} samples per run, give that"
        )
    delay = spec.delay if spec.delay >= 0 else _number(path, facts, "edge_vc.delay", 0)
    return WaveformTeacher(_Streaming(session, signature, hop, delay), rate, output_rate)


def sources(spec: OnnxSpec) -> list[Path]:
    """Return the graph's file and those with its weights, where they are separate files."""
    import onnx
    from onnx.external_data_helper import uses_external_data

    path = given_file(spec, "path")
    try:
        tensors = onnx.load(path, load_external_data=False).graph.initializer
    except Exception as error:
        # protobuf's own error type is not part of onnx's interface.
        raise TeacherError(f"{path}: is not an ONNX file") from error
    names = {
        entry.value
        for tensor in tensors
        if uses_external_data(tensor)
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return [path, *(path.parent / name for name in sorted(names))]


class _Offline:
    """One run for the whole recording."""

    def __init__(self, session: ort.InferenceSession, signature: IoSignature) -> None:
        self._session, self._signature = session, signature

    def __call__(self, audio: Samples) -> NDArray[np.generic]:
        given = {self._signature.audio: audio.reshape(self._signature.shape)}
        answer: NDArray[np.generic] = self._session.run([self._signature.answer], given)[0]
        return answer


class _Streaming:
    """One run per hop, from silent states; what the graph lags behind is dropped."""

    def __init__(
        self, session: ort.InferenceSession, signature: IoSignature, hop: int, delay: int
    ) -> None:
        self._session, self._signature = session, signature
        self._hop, self._delay = hop, delay

    def __call__(self, audio: Samples) -> NDArray[np.generic]:
        signature, hop = self._signature, self._hop
        missing = -(len(audio) + self._delay) % hop
        padded = np.pad(audio, (0, self._delay + missing))
        states = {state.name: np.zeros(state.shape, state.dtype) for state in signature.states}
        names = [signature.answer, *(state.next_name for state in signature.states)]
        pieces = []
        for start in range(0, len(padded), hop):
            block = padded[start : start + hop].reshape(signature.shape)
            piece, *following = self._session.run(names, states | {signature.audio: block})
            states = dict(zip(states, following, strict=True))
            pieces.append(piece.reshape(-1))
        joined = np.concatenate(pieces)
        # The answer may be at another rate: lengths scale with it.
        scale = len(joined) / len(padded)
        late = round(self._delay * scale)
        return joined[late : late + round(len(audio) * scale)]


def session_options(threads: int) -> ort.SessionOptions:
    """Return how a teacher's graph is run: on the CPU, INT8 exactly."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    if kernels_saturate():
        # INT8 graphs are computed in float, which is exact; x86 without VNNI would clip.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    return options


def _open(path: Path, threads: int) -> ort.InferenceSession:
    import onnxruntime as ort

    options = session_options(threads)
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's errors share no class that it exports.
        fact = str(error).splitlines()[0]
        raise TeacherError(f"{path}: onnxruntime cannot load it: {fact}") from error


def _number(path: Path, facts: dict[str, str], key: str, otherwise: int) -> int:
    text = facts.get(key, str(otherwise))
    if not text.isdecimal() or int(text) > 10_000_000:
        raise TeacherError(f"{path}: its metadata say {key} = {text[:40]!r}, not a number")
    return int(text)


KIND = TeacherKind(OnnxSpec, load, sources)
