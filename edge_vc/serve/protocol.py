"""Protocol between page and server over the WebSocket; every received message is validated.

Text messages are JSON objects with a ``type``. Binary messages are audio: a header of 16 bytes
(sequence number and acknowledged sequence number, both uint32; position, a float64; little endian),
then mono int16 samples at the browser's rate. The position counts samples on the browser's audio
clock; the server returns the position of the input that an output belongs to, so that the page can
measure the total delay.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge_vc_runtime.message import one_line
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object

MAX_MESSAGE = 1 << 15
"""Largest message in bytes: 85 ms of audio at 192 kHz."""
RATES = (8000, 192_000)
"""Lowest and highest sample rate of a browser in Hz."""
_HEADER = struct.Struct("<IId")
_MAX_POSITION = float(1 << 53)
_NAME = r"[a-z0-9_]{1,80}"


class ProtocolError(Exception):
    """A message that violates the protocol; one line, short enough for a close frame."""


@dataclass(frozen=True)
class AudioFrame:
    """A message with audio."""

    sequence: int
    """Number of the frame in its direction, from 0."""
    acknowledged: int
    """From the page: every frame below this number has arrived. From the server: the sequence
    number of the input that led to this output."""
    position: float
    """Position of the first sample, in samples on the browser's audio clock."""
    samples: Samples


@dataclass(frozen=True)
class Start:
    """Start a conversion."""

    rate: int
    """Sample rate of the browser in Hz."""
    voice: str
    settings: dict[str, object]
    """Values of the chain's parameters by name, not yet validated."""


@dataclass(frozen=True)
class SelectVoice:
    """Switch to another bundle."""

    voice: str


@dataclass(frozen=True)
class SetParameter:
    """Change a parameter of the chain."""

    name: str
    value: object
    """Not yet validated."""


@dataclass(frozen=True)
class Ping:
    """Request an immediate answer."""

    number: int


PageRequest = Start | SelectVoice | SetParameter | Ping


def read_frame(data: bytes) -> AudioFrame:
    """Parse audio from the page; raises `ProtocolError`."""
    size = len(data) - _HEADER.size
    if size <= 0 or size % 2 or len(data) > MAX_MESSAGE:
        raise ProtocolError(f"an audio message of {len(data)} bytes")
    sequence, acknowledged, position = _HEADER.unpack_from(data)
    if not 0 <= position <= _MAX_POSITION:  # false for NaN
        raise ProtocolError("an audio message without a valid position")
    values = np.frombuffer(data, "<i2", offset=_HEADER.size)
    samples = values.astype(np.float32) / np.float32(32768)
    return AudioFrame(sequence, acknowledged, position, samples)


def write_frame(frame: AudioFrame) -> bytes:
    """Return a frame as bytes; samples beyond full scale are clipped."""
    values = np.clip(np.rint(frame.samples * 32768), -32768, 32767).astype("<i2")
    head = _HEADER.pack(frame.sequence & 0xFFFFFFFF, frame.acknowledged, frame.position)
    return head + values.tobytes()


def read_request(text: str) -> PageRequest:
    """Parse a text message of the page; raises `ProtocolError`."""
    if len(text) > MAX_MESSAGE:
        raise ProtocolError(f"a text message of {len(text)} characters")
    try:
        fields = Fields(parse_object(text.encode("utf-8", "surrogatepass")))
        return _READERS[fields.choice("type", tuple(_READERS))](fields)
    except FieldError as error:
        raise ProtocolError(f"a message that cannot be read: {one_line(error)}") from error


def _start(fields: Fields) -> Start:
    request = Start(
        fields.integer("rate", *RATES),
        fields.text("voice", limit=200),
        fields.child("settings").rest(),
    )
    fields.done()
    return request


def _select(fields: Fields) -> SelectVoice:
    request = SelectVoice(fields.text("voice", limit=200))
    fields.done()
    return request


def _set(fields: Fields) -> SetParameter:
    request = SetParameter(fields.text("name", _NAME, 80), fields.take("value"))
    fields.done()
    return request


def _ping(fields: Fields) -> Ping:
    request = Ping(fields.integer("number", 0, 1 << 53))
    fields.done()
    return request


_READERS: dict[str, Callable[[Fields], PageRequest]] = {
    "start": _start,
    "voice": _select,
    "set": _set,
    "ping": _ping,
}
