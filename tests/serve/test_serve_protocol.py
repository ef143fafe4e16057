"""Messages of the page are read strictly, whatever they hold."""

from __future__ import annotations

import json
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_vc.serve.protocol import (
    MAX_MESSAGE,
    AudioFrame,
    Ping,
    ProtocolError,
    SelectVoice,
    SetParameter,
    Start,
    read_frame,
    read_request,
    write_frame,
)


def test_a_frame_survives_the_wire() -> None:
    samples = (np.arange(-5, 5) / 8).astype(np.float32)
    read = read_frame(write_frame(AudioFrame(7, 5, 123456789.0, samples)))
    assert (read.sequence, read.acknowledged, read.position) == (7, 5, 123456789.0)
    assert np.array_equal(read.samples, np.clip(samples, -1, 32767 / 32768))


def test_sequence_numbers_wrap() -> None:
    frame = AudioFrame(1 << 32, 0, 0.0, np.zeros(1, np.float32))
    assert read_frame(write_frame(frame)).sequence == 0


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x" * 15,
        struct.pack("<IId", 0, 0, 0.0),
        struct.pack("<IId", 0, 0, 0.0) + b"x",
        struct.pack("<IId", 0, 0, float("nan")) + b"xx",
        struct.pack("<IId", 0, 0, float("inf")) + b"xx",
        struct.pack("<IId", 0, 0, -1.0) + b"xx",
        bytes(MAX_MESSAGE + 2),
    ],
    ids=["empty", "short", "no samples", "half a sample", "nan", "inf", "negative", "long"],
)
def test_audio_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="an audio message"):
        read_frame(data)


@pytest.mark.parametrize(
    ("message", "request_"),
    [
        (
            {"type": "start", "rate": 48000, "voice": "nano", "settings": {"pitch": 2}},
            Start(48000, "nano", {"pitch": 2}),
        ),
        ({"type": "voice", "voice": "base"}, SelectVoice("base")),
        ({"type": "set", "name": "pitch", "value": -3}, SetParameter("pitch", -3)),
        ({"type": "ping", "number": 4}, Ping(4)),
    ],
    ids=["start", "voice", "set", "ping"],
)
def test_requests_are_read(message: dict[str, object], request_: object) -> None:
    assert read_request(json.dumps(message)) == request_


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"type": "exec"}',
        '{"type": "ping", "number": 1e400}',
        '{"type": "ping", "number": true}',
        '{"type": "ping", "number": 1, "more": 1}',
        '{"type": "start", "rate": 1, "voice": "a", "settings": {}}',
        '{"type": "start", "rate": 48000.5, "voice": "a", "settings": {}}',
        '{"type": "start", "rate": 48000, "voice": "a\\u0000", "settings": {}}',
        '{"type": "start", "rate": 48000, "voice": "a", "settings": []}',
        '{"type": "set", "name": "__class__!", "value": 1}',
        '{"type": "ping", "number": NaN}',
        "[" * 20000,
        '"\ud800"',
        '{"type": "voice", "voice": "' + "a" * MAX_MESSAGE + '"}',
    ],
    ids=lambda text: text[:24] or "empty",
)
def test_anything_else_is_one_short_line(text: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        read_request(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=300))
def test_garbage_never_gets_further(data: bytes, text: str) -> None:
    with suppress(ProtocolError):
        frame = read_frame(data)
        assert np.isfinite(frame.samples).all()
    with suppress(ProtocolError):
        read_request(text)
