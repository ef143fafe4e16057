"""Whoever is slow loses old audio; nothing waits for long, nothing grows."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import numpy as np

from edge_vc.serve.conversion import LiveConversion
from edge_vc.serve.outbox import Outbox
from edge_vc.serve.pipeline import HopPipeline
from edge_vc.serve.protocol import AudioFrame
from edge_vc_runtime.samples import Samples

RATE = 16000
HOP = 160


class Doubler:
    """A converter that waits until it is let go, and can go wrong."""

    hop, sample_rate, delay = HOP, RATE, 0

    def __init__(self) -> None:
        self.go = threading.Event()
        self.resets = 0

    def step(self, audio: Samples) -> Samples:
        self.go.wait(10)
        return audio * 2 if audio[0] < 0.9 else audio * np.float32("nan")

    def reset(self) -> None:
        self.resets += 1


def numbered(number: int, samples: int = HOP, value: float = 0.0) -> AudioFrame:
    return AudioFrame(number, 0, float(number * samples), np.full(samples, value, np.float32))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_slow_conversion_drops_the_oldest_input() -> None:
    converter, out = Doubler(), list[AudioFrame]()
    conversion = LiveConversion(HopPipeline(converter, RATE), out.append, lambda error: None)
    conversion.start()
    conversion.push(numbered(0))
    wait_for(lambda: not conversion._frames)
    for number in range(1, 101):
        conversion.push(numbered(number))
    assert len(conversion._frames) == 15  # 150 ms
    assert conversion.status().dropped == 85
    converter.go.set()
    wait_for(lambda: len(out) == 16)
    conversion.stop()
    conversion.join(5)
    assert [frame.position / HOP for frame in out] == [0, *range(86, 101)]
    assert conversion.status().lost == 0


def test_it_stops_in_the_middle_of_silence() -> None:
    conversion = LiveConversion(HopPipeline(Doubler(), RATE), print, lambda error: None)
    conversion.start()
    conversion.stop()
    conversion.join(5)
    assert not conversion.is_alive()


def test_an_error_of_the_converter_is_handed_on() -> None:
    errors: list[Exception] = []
    pipeline = HopPipeline(Doubler(), RATE)
    conversion = LiveConversion(pipeline, print, errors.append)
    pipeline.push = None  # type: ignore[assignment, method-assign]
    conversion.start()
    conversion.push(numbered(0))
    conversion.join(5)
    assert len(errors) == 1


def test_what_is_not_finite_is_silence() -> None:
    converter = Doubler()
    converter.go.set()
    pipeline = HopPipeline(converter, RATE)
    loud = np.full(HOP, 0.95, np.float32)
    assert np.array_equal(pipeline.push(loud), np.zeros(HOP, np.float32))
    assert (pipeline.muted, converter.resets) == (1, 1)
    assert np.array_equal(pipeline.push(loud / 2), loud)


def test_another_pipeline_takes_over() -> None:
    converter, out = Doubler(), list[AudioFrame]()
    converter.go.set()
    conversion = LiveConversion(HopPipeline(converter, RATE), out.append, lambda error: None)
    conversion.start()
    conversion.push(numbered(0))
    wait_for(lambda: len(out) == 1)
    conversion.replace(HopPipeline(converter, RATE))
    conversion.push(numbered(1))
    wait_for(lambda: len(out) == 2)
    conversion.stop()
    assert [frame.position for frame in out] == [0.0, float(HOP)]


def test_a_page_that_does_not_read_gets_no_more_and_then_the_newest() -> None:
    async def run() -> tuple[int, list[int], int]:
        box = Outbox(RATE)
        sent = 0
        for number in range(200):
            box.put(numbered(number))
            try:
                await asyncio.wait_for(box.take(), 0.002 if number > 60 else 5)
                sent += 1
            except TimeoutError:
                continue
        box.acknowledge(sent)
        rest = [(await box.take()).sequence for _ in range(len(box._waiting))]
        return sent, rest, box.dropped

    sent, rest, dropped = asyncio.run(run())
    assert sent == 61  # 600 ms in flight, and the one that went beyond
    assert rest == list(range(185, 200))
    assert sent + len(rest) + dropped == 200
