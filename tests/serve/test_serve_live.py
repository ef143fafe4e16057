"""One page after another speaks to the live socket; what comes back is the conversion, exactly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from serve_client import LIVE, Client, frame, hear, hear_audio, start
from starlette.websockets import WebSocketDisconnect

from edge_vc.serve import conversion, live_socket, outbox
from edge_vc.serve.controls import VoiceControls
from edge_vc.serve.pipeline import HopPipeline
from edge_vc.serve.protocol import MAX_MESSAGE, read_frame
from edge_vc.serve.voices import VoiceCatalogue

HOP = 480


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is dropped although a test sends faster than a microphone."""
    monkeypatch.setattr(conversion, "QUEUE_MS", 1e9)
    monkeypatch.setattr(outbox, "WAITING_MS", 1e9)
    monkeypatch.setattr(outbox, "FLIGHT_MS", 1e9)


def offline(catalogue: VoiceCatalogue, audio: np.ndarray, rate: int = 48000) -> np.ndarray:
    """What the page should get: the same pipeline without a server, as int16 on the wire."""
    controls = VoiceControls(catalogue, {"gate": 0, "level_follow": 0})
    pipeline = HopPipeline(controls.open("kathleen-nano"), rate)
    sent = [read_frame(frame(0, piece)).samples for piece in np.split(audio, audio.size // HOP)]
    heard = np.concatenate([pipeline.push(piece) for piece in sent])
    return np.clip(np.rint(heard * 32768), -32768, 32767) / 32768


@pytest.mark.usefixtures("roomy")
def test_the_audio_is_that_of_the_offline_conversion(
    client: Client, catalogue: VoiceCatalogue, speech: np.ndarray
) -> None:
    audio = speech[: 150 * HOP]
    wanted = offline(catalogue, audio)
    with client().websocket_connect(LIVE) as socket:
        socket.send_text(start())
        assert hear(socket)["frame"] == HOP
        for number, piece in enumerate(np.split(audio, 150)):
            socket.send_bytes(frame(number, piece, begin=1000.0))
        frames = hear_audio(socket, wanted.size)
    got = np.concatenate([each.samples for each in frames])
    assert np.array_equal(got, wanted)
    assert np.abs(got).max() > 0.05
    assert [each.sequence for each in frames] == list(range(len(frames)))
    # Each output tells which input it belongs to.
    begins = np.cumsum([0, *(each.samples.size for each in frames[:-1])])
    assert [each.position for each in frames] == [1000.0 + begin for begin in begins]


@pytest.mark.usefixtures("roomy")
def test_a_gap_in_the_input_moves_the_positions(client: Client, speech: np.ndarray) -> None:
    with client().websocket_connect(LIVE) as socket:
        socket.send_text(start())
        hear(socket, "ready")
        for number in (*range(10), *range(15, 25)):
            socket.send_bytes(frame(number, speech[:HOP]))
        frames = hear_audio(socket, 18 * HOP)
        status = hear(socket, "status")
    assert frames[-1].position == pytest.approx((18 + 5) * HOP - frames[-1].samples.size, abs=HOP)
    assert status["lost"] == 5
    assert status["dropped"] == 0


@pytest.mark.usefixtures("roomy")
def test_requests_are_answered(client: Client, speech: np.ndarray) -> None:
    with client().websocket_connect(LIVE) as socket:
        socket.send_text(start())
        hear(socket, "ready")
        socket.send_text('{"type": "ping", "number": 12}')
        assert hear(socket, "pong")["number"] == 12
        socket.send_text('{"type": "set", "name": "pitch", "value": 3}')
        assert hear(socket, "set") == {"type": "set", "name": "pitch", "value": 3.0}
        for name, value in (("pitch", 99), ("nothing", 1), ("pitch", "high"), ("gate", None)):
            socket.send_text(json.dumps({"type": "set", "name": name, "value": value}))
            assert name in hear(socket, "refused")["message"]
        socket.send_text('{"type": "voice", "voice": "kathleen-base"}')
        assert hear(socket, "voice")["key"] == "kathleen-base"
        for number in range(20):
            socket.send_bytes(frame(number, speech[:HOP]))
        while (status := hear(socket, "status"))["hops"] < 20:
            pass
    assert status["step_p50_ms"] > 0
    assert status["step_p99_ms"] is None, "20 hops say nothing of one in a hundred"
    assert status["delay_ms"] > 10


@pytest.mark.usefixtures("roomy")
def test_bypass_gives_the_own_voice_at_the_same_delay(client: Client, speech: np.ndarray) -> None:
    audio = speech[: 100 * HOP]
    with client().websocket_connect(LIVE) as socket:
        socket.send_text(start(bypass=1))
        hear(socket, "ready")
        for number, piece in enumerate(np.split(audio, 100)):
            socket.send_bytes(frame(number, piece))
        frames = hear_audio(socket, 95 * HOP)
    got = np.concatenate([each.samples for each in frames])
    late = round(0.010 * 48000)  # the look-ahead of the model
    wanted = np.concatenate([np.zeros(late, np.float32), audio])[: got.size]
    assert np.corrcoef(got[HOP:], wanted[HOP:])[0, 1] > 0.98


def closed_by(client: Client, act: Callable[[Any], object], **options: object) -> tuple[int, str]:
    with pytest.raises(WebSocketDisconnect) as closed:
        converse(client, act, **options)
    return closed.value.code, closed.value.reason or ""


def converse(client: Client, act: Callable[[Any], object], **options: object) -> None:
    with client(**options).websocket_connect(LIVE) as socket:
        act(socket)
        while True:
            socket._raise_on_close(socket.receive())


def begun(message: str | bytes) -> Callable[[Any], None]:
    def act(socket: Any) -> None:
        socket.send_text(start())
        hear(socket, "ready")
        send = socket.send_text if isinstance(message, str) else socket.send_bytes
        send(message)

    return act


@pytest.mark.parametrize(
    "message",
    [b"", b"garbage", bytes(MAX_MESSAGE + 2), "", "{}", "\u2028", '{"type": "exec"}', start()],
    ids=["empty", "garbage", "oversize", "no text", "no type", "a line", "unknown", "second start"],
)
def test_hostile_messages_end_the_connection_with_a_reason(
    client: Client, message: str | bytes
) -> None:
    code, reason = closed_by(client, begun(message))
    assert code == 1008
    assert 5 < len(reason) <= 123


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\0" * 20, "before the start"),
        ('{"type": "ping", "number": 1}', "before the start"),
        (start(voice="other"), "no voice 'other'"),
        (start(rate=44101), "44101"),
        (start(nothing=1), "no parameter 'nothing'"),
        (start(pitch=1e9), "pitch"),
    ],
    ids=["audio", "ping", "voice", "rate", "parameter", "value"],
)
def test_a_wrong_start_is_refused(client: Client, message: str | bytes, reason: str) -> None:
    def act(socket: Any) -> None:
        (socket.send_text if isinstance(message, str) else socket.send_bytes)(message)

    code, told = closed_by(client, act)
    assert code == 1008
    assert reason in told


def test_silence_ends_the_connection(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_socket, "_START_S", 0.05)
    assert closed_by(client, lambda socket: None)[0] == 1008
    monkeypatch.setattr(live_socket, "_IDLE_S", 0.05)
    assert closed_by(client, lambda socket: socket.send_text(start()))[0] == 1008


def test_only_so_many_are_converted_and_a_place_is_given_back(client: Client) -> None:
    made = client(connections=2)

    def try_it() -> str:
        with made.websocket_connect(LIVE) as socket:
            socket.send_text(start())
            return str(hear(socket)["type"])

    with made.websocket_connect(LIVE) as one, made.websocket_connect(LIVE) as two:
        for socket in (one, two):
            socket.send_text(start())
            hear(socket, "ready")
        with pytest.raises(WebSocketDisconnect) as closed:
            try_it()
        assert closed.value.code == 1013
        assert "2 of 2" in (closed.value.reason or "")
    deadline = time.monotonic() + 10
    while True:
        try:
            assert try_it() == "ready"
            break
        except WebSocketDisconnect:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_broken_conversion_ends_the_connection(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    class BrokenError(RuntimeError):
        pass

    def push(self: HopPipeline, samples: np.ndarray) -> np.ndarray:
        raise BrokenError

    monkeypatch.setattr(HopPipeline, "push", push)
    with pytest.raises((WebSocketDisconnect, BrokenError)):
        converse(client, begun(frame(0, np.zeros(HOP, np.float32))))
