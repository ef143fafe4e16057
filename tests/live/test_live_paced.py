"""The loop on a real sound server, in real time: what is heard is the offline conversion."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from live_sound import RATE, SoundServer

from edge_vc_export.parity.speech import example_speech
from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.devices.backends import open_backend
from edge_vc_runtime.live.loop import LiveLoop, LoopSettings
from edge_vc_runtime.live.realtime import calm_interpreter, collect_garbage
from edge_vc_runtime.session import Session

pytestmark = pytest.mark.live
LIVE = {"gate": 1.0, "level_follow": 1.0}
"""What `run BUNDLE` switches on."""


class Memory:
    """A tap that keeps every hop; its pages are there from the beginning."""

    def __init__(self, seconds: float) -> None:
        self._kept = np.ones(int(seconds * 16000), np.float32)
        self._count = 0

    def push(self, audio: np.ndarray) -> None:
        room = self._kept[self._count : self._count + audio.size]
        room[:] = audio[: room.size]
        self._count += room.size

    @property
    def heard(self) -> np.ndarray:
        return self._kept[: self._count]


def own_memory_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    raise AssertionError


def speak(sound: SoundServer, speech: np.ndarray, over: threading.Event) -> None:
    while not over.is_set():
        feed = sound.feed(speech)
        while feed.poll() is None:
            if over.wait(0.1):
                feed.kill()
        feed.wait()


@pytest.mark.parametrize(
    "seconds",
    [12, pytest.param(600, marks=[pytest.mark.slow, pytest.mark.timeout(900)])],
)
def test_what_is_heard_is_the_offline_conversion(
    sound: SoundServer, project_root: Path, seconds: int
) -> None:
    bundle = project_root / "edge_vc" / "assets" / "kathleen-base.evc"
    said, heard = Memory(seconds + 5), Memory(seconds + 5)
    chain = Chain(Session.open(bundle), Parameters(LIVE))
    backend = open_backend("auto")
    loop = LiveLoop(backend, chain, LoopSettings(correct_drift=True), [said], [heard])
    over = threading.Event()
    mouth = threading.Thread(target=speak, args=(sound, example_speech(20.0, RATE), over))
    delays, memory, end = [], [], time.monotonic() + seconds
    with calm_interpreter():
        mouth.start()
        loop.start()
        try:
            while time.monotonic() < end:
                time.sleep(0.1)
                loop.tend()
                delays.append(loop.take_fill())
                if len(delays) % 50 == 0:
                    collect_garbage()
                    memory.append(own_memory_kb())
        finally:
            loop.stop()
            over.set()
            mouth.join()
            backend.close()
    seen = loop.snapshot()
    assert seen.state == "stopped"
    assert seen.muted == seen.input_overflows == seen.reopened == 0
    assert said.heard.size == heard.heard.size == 160 * seen.hops > 16000 * (seconds - 3)
    offline = Chain(Session.open(bundle), Parameters(LIVE))
    expected = [offline.step(hop).copy() for hop in said.heard.reshape(-1, 160)]
    np.testing.assert_array_equal(heard.heard, np.concatenate(expected))
    assert np.abs(heard.heard).max() > 0.05
    settled = [fill for fill in delays if fill is not None]
    assert abs(np.median(settled[-20:]) - np.median(settled[20:40])) < 480
    assert memory[-1] - memory[len(memory) // 3] < 1024
