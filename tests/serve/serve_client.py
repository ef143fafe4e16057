"""How the tests of `edge-vc serve` speak to an application."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from edge_vc.serve.protocol import AudioFrame, read_frame, write_frame

HOST = "127.0.0.1:8765"
LIVE = f"ws://{HOST}/live"
Client = Callable[..., TestClient]


def hear(socket: Any, kind: str = "") -> dict[str, Any]:
    """The next text message, of a kind if one is named; audio and other kinds are passed over."""
    while True:
        message = socket.receive()
        socket._raise_on_close(message)
        if message.get("text") is not None:
            told = json.loads(message["text"])
            if kind in ("", told["type"]):
                return told


def hear_audio(socket: Any, samples: int) -> list[AudioFrame]:
    """Frames until so many samples have come."""
    frames: list[AudioFrame] = []
    while sum(frame.samples.size for frame in frames) < samples:
        message = socket.receive()
        socket._raise_on_close(message)
        if message.get("bytes") is not None:
            frames.append(read_frame(message["bytes"]))
    return frames


def start(rate: int = 48000, voice: str = "kathleen-nano", **settings: object) -> str:
    """The first message of a page; the gate is open unless it is set."""
    settings = {"gate": 0, "level_follow": 0} | settings
    return json.dumps({"type": "start", "rate": rate, "voice": voice, "settings": settings})


def frame(number: int, samples: np.ndarray, acknowledged: int = 0, begin: float = 0.0) -> bytes:
    """A frame of the page; positions count from ``begin``."""
    position = begin + number * samples.size
    return write_frame(AudioFrame(number, acknowledged, position, samples))
