"""`measure-latency` on a real sound server: a known delay, nothing to find, a program between."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import numpy as np
import pytest
from live_sound import RATE, SoundServer

from edge_vc_runtime.cli import main
from edge_vc_runtime.devices.backend import DeviceStream
from edge_vc_runtime.devices.backends import open_backend
from edge_vc_runtime.devices.negotiation import negotiate
from edge_vc_runtime.devices.selection import find_device
from edge_vc_runtime.latency.measurement import StreamPair, measure_round_trip
from edge_vc_runtime.latency.round_trip import RoundTrip
from edge_vc_runtime.latency.signals import chirp_signal, speech_signal

pytestmark = pytest.mark.live


class DelayLine:
    """An output callback whose sound comes ``delay`` frames later."""

    def __init__(self, callback: Any, delay: int) -> None:
        self.callback = callback
        self.held = np.zeros(delay, np.float32)

    def __call__(self, block: np.ndarray, underflow: bool) -> None:
        self.callback(block, underflow)
        line = np.concatenate([self.held, block[:, 0]])
        block[:] = line[: len(block), None]
        self.held = line[len(block) :]


def measure(delay_ms: float, signals: list[Any]) -> RoundTrip:
    backend = open_backend("auto")
    try:
        heard = find_device(backend, "speaker_heard", "input")
        played = find_device(backend, "speaker", "output")

        def open_output(callback: Any) -> DeviceStream:
            line = DelayLine(callback, int(delay_ms * RATE / 1e3))
            return negotiate(backend, played, "output", line, RATE)

        pair = StreamPair(partial(negotiate, backend, heard, "input"), open_output)
        return measure_round_trip(pair, signals)
    finally:
        backend.close()


def test_a_known_delay_is_added(sound: SoundServer) -> None:
    bare = measure(0, [chirp_signal()] * 3)
    assert bare.found
    assert 0 < bare.median_ms < 150
    for signals in ([chirp_signal()] * 3, [speech_signal(0), speech_signal(1)]):
        later = measure(80, signals)
        assert later.found
        assert later.median_ms - bare.median_ms == pytest.approx(80, abs=8)


def test_the_verb_prints_a_number(sound: SoundServer, capsys: pytest.CaptureFixture[str]) -> None:
    devices = ["--input", "speaker_heard", "--output", "speaker"]
    assert main(["measure-latency", *devices, "--repeats", "2", "--json"]) == 0
    captured = capsys.readouterr()
    made = json.loads(captured.out)
    assert made["found"] is True
    assert made["delay_ms"] > 0
    assert len(made["delays_ms"]) == 2
    assert "round trip of the devices" in captured.err


def test_the_verb_refuses_a_number(sound: SoundServer, capsys: pytest.CaptureFixture[str]) -> None:
    devices = ["--input", "mic_feed", "--output", "speaker"]
    assert main(["measure-latency", *devices, "--repeats", "1"]) == 1
    out = capsys.readouterr().out
    assert "no number: the chirp was found 0 of 1 times" in out
    assert "the recording is silent: connect the output to the input" in out
