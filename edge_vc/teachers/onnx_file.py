"""An ONNX file as a teacher: whole recordings at once, or hop by hop with its states.

Inputs besides audio are states, or are declared in `OnnxSpec.inputs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.settings.field import choice, number
from edge_vc.settings.paths import path_field
from edge_vc.teachers.kind import TeacherKind
from edge_vc.teachers.spec import HIGHEST_RATE, TeacherError, WaveformSpec, given_file
from edge_vc.teachers.waveform_teacher import WaveformTeacher

if TYPE_CHECKING:
    from edge_vc.teachers.io_signature import IoSignature
    from edge_vc.teachers.onnx_feed import Feed

DEFAULT_RATE = 16_000


@dataclass(frozen=True)
class OnnxSpec(WaveformSpec):
    """An ONNX file, offline or streaming."""

    kind: str = choice("onnx", "onnx")
    sample_rate: int = number(0, 0, HIGHEST_RATE, "Hz")
    """0: from the file's metadata, else 16000."""
    path: str = path_field(needed=True, example="teacher.onnx", suffixes=(".onnx",))
    """The graph; external weight files are next to it."""
    states: str = ""
    """``in=next, ...`` for a streaming graph; empty: inputs ``state.X`` with outputs ``next.X``."""
    inputs: str = ""
    """``name = 3, name = f0, ...``: values of inputs besides audio and states: one number, as many
    as the input has elements (separated by spaces), or ``f0`` (Hz), ``coarse-f0`` (1 to 255),
    ``frames`` (their count), ``noise``, ``contents`` (from the encoder ``contents``)."""
    output: str = ""
    """Name of the output that is audio; empty: the first one as long as the input."""
    channel: int = number(0, 0, 64)
    """Channel to take from an output with several, from 1; 0: it has one."""
    contents: str = path_field(suffixes=())
    """ONNX file of a content encoder: audio in, ``[1, F, C]`` out; empty: none."""
    frame: int = number(160, 1, 100_000, "samples")
    """Step of ``f0``, ``frames`` and ``contents``."""
    semitones: float = number(0.0, -36.0, 36.0, "semitones")
    """Shift of ``f0``."""
    context: int = number(0, 0, 1_000_000, "samples")
    """Past samples in front of each hop of a streaming graph (LLVC: 32)."""
    hop: int = number(0, 0, 1_000_000, "samples")
    """New samples per run of a streaming graph; 0: the length of its input minus ``context``."""
    delay: int = number(-1, -1, 1_000_000, "samples")
    """Delay of a streaming graph's output; -1: from the file's metadata, else 0."""
    multiple: int = number(1, 1, 10_000_000, "samples")
    """The input of an offline graph is padded with silence to a multiple of this."""
    threads: int = number(1, 1, 256, "threads")
    passing: ClassVar[tuple[str, ...]] = ("threads",)


def load(spec: OnnxSpec) -> WaveformTeacher:
    """Open the graph and wrap it; raises `TeacherError` if it is not audio in, audio out."""
    from edge_vc.teachers.io_signature import read_io_signature
    from edge_vc.teachers.onnx_feed import ContentGraph, Feed
    from edge_vc.teachers.onnx_session import open_session

    path = given_file(spec, "path")
    session = open_session(path, spec.threads)
    facts = session.get_modelmeta().custom_metadata_map
    rate = spec.sample_rate or _number(path, facts, "edge_vc.sample_rate", DEFAULT_RATE)
    signature = read_io_signature(path, session, spec.states, spec.inputs, spec.output, rate)
    if signature.channels > 1 and not spec.channel:
        raise TeacherError(
            f"{path}: returns {signature.channels} channels: set teacher.channel = 1 to "
            f"{signature.channels}, the one to take"
        )
    output_rate = spec.output_sample_rate or rate
    encoder = ContentGraph.open(Path(spec.contents), spec.threads) if spec.contents else None
    feed = Feed(
        path, session, signature, rate,
        encoder=encoder, frame=spec.frame, semitones=spec.semitones, channel=spec.channel,
    )  # fmt: skip
    streaming = bool(signature.states or spec.context or spec.hop)
    if not streaming:
        window = signature.length
        return WaveformTeacher(
            _Offline(feed), rate, output_rate, window=window, multiple=spec.multiple
        )
    hop, context = _hop_and_context(path, spec, signature)
    delay = spec.delay if spec.delay >= 0 else _number(path, facts, "edge_vc.delay", 0)
    return WaveformTeacher(_Streaming(feed, hop, context, delay), rate, output_rate)


def _hop_and_context(path: Path, spec: OnnxSpec, signature: IoSignature) -> tuple[int, int]:
    """Return the new samples of each run and the past samples in front of them."""
    length, returned, context = signature.length, signature.output_length, spec.context
    if length and spec.hop and not context:
        context = length - spec.hop if returned == spec.hop else 0
    hop = length - context if length else spec.hop
    if hop < 1 or spec.hop not in (0, hop):
        raise TeacherError(
            f"{path}: teacher.hop = {spec.hop}; its input takes "
            f"{length or 'any number of'} samples per run, give that"
            + (f" less teacher.context = {context}" if context else "")
        )
    # Another ratio means another rate, which `output_sample_rate` states.
    same_rate = spec.output_sample_rate in (0, spec.sample_rate)
    if length and returned and returned < hop and same_rate:
        raise TeacherError(
            f"{path}: takes {length} samples and returns {returned}: set teacher.context = "
            f"{length - returned}, the past samples in front of each run, or "
            "teacher.output_sample_rate"
        )
    return hop, context


def sources(spec: OnnxSpec) -> list[Path]:
    """Return the graph's file and those with its weights, if they are separate files."""

    path = given_file(spec, "path")
    contents = [given_file(spec, "contents")] if spec.contents else []
    return [weights for file in (path, *contents) for weights in _files(file)]


def _files(path: Path) -> list[Path]:
    import onnx
    from onnx.external_data_helper import uses_external_data

    from edge_vc.teachers.onnx_session import check_pointer

    check_pointer(path)
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

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def __call__(self, audio: Samples) -> NDArray[np.generic]:
        return self._feed.convert(audio, {})[0]


class _Streaming:
    """One run per hop, from silent states; the graph's delay is dropped."""

    def __init__(self, feed: Feed, hop: int, context: int, delay: int) -> None:
        if feed.follows:
            raise TeacherError("teacher.inputs: a streaming graph takes constants only")
        self._feed, self._hop, self._context, self._delay = feed, hop, context, delay

    def __call__(self, audio: Samples) -> NDArray[np.generic]:
        hop, context = self._hop, self._context
        missing = -(len(audio) + self._delay) % hop
        padded = np.pad(audio, (context, self._delay + missing))
        states = self._feed.silent_states()
        pieces = []
        for start in range(0, len(padded) - context, hop):
            piece, states = self._feed.convert(padded[start : start + context + hop], states)
            pieces.append(piece.reshape(-1))
        joined = np.concatenate(pieces)
        # The output may be at another rate: lengths scale with it.
        scale = len(joined) / (len(padded) - context)
        late = round(self._delay * scale)
        return joined[late : late + round(len(audio) * scale)]


def _number(path: Path, facts: dict[str, str], key: str, otherwise: int) -> int:
    text = facts.get(key, str(otherwise))
    if not text.isdecimal() or int(text) > 10_000_000:
        raise TeacherError(f"{path}: its metadata say {key} = {text[:40]!r}, not a number")
    return int(text)


KIND = TeacherKind(OnnxSpec, load, sources)
