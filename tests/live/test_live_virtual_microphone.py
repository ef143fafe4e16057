"""A second recorder hears the virtual microphone by its name; it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest
from live_sound import RATE, SoundServer, loudest_hz

from edge_vc_runtime.devices import VirtualMicrophone, find_device, negotiate, open_backend

pytestmark = pytest.mark.live


def player(hz: float) -> Callable[[np.ndarray, bool], None]:
    at = 0

    def fill(block: np.ndarray, underflow: bool) -> None:
        nonlocal at
        moments = np.arange(at, at + block.shape[0])
        block[:] = (0.3 * np.sin(2 * np.pi * hz * moments / RATE))[:, None]
        at += block.shape[0]

    return fill


def modules(sound: SoundServer) -> int:
    return len(sound.pactl("list", "short", "modules").splitlines())


@pytest.mark.parametrize("name", ["pyaudio", "sounddevice"])
def test_another_program_records_the_converted_voice(sound: SoundServer, name: str) -> None:
    before = modules(sound)
    with VirtualMicrophone("Kathleen") as microphone:
        backend = open_backend(name)
        device = find_device(backend, microphone.output, "output")
        stream = negotiate(backend, device, "output", player(880))
        stream.start()
        for _ in range(30):
            time.sleep(0.1)
            assert stream.active, "it must not stall while nobody listens"
        with sound.recording("Kathleen") as made, sound.recording() as speaker:
            time.sleep(0.7)
        backend.close()
    assert loudest_hz(made.samples) == pytest.approx(880, abs=15)
    assert np.abs(made.samples).max() == pytest.approx(0.3, abs=0.02)
    assert np.abs(speaker.samples).max() < 1e-3, "it is not heard from the loudspeaker"
    assert modules(sound) == before


@pytest.mark.parametrize(
    ("ending", "left"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, 2)]
)
def test_a_signal_ends_it_and_the_next_run_replaces_it(
    sound: SoundServer, ending: signal.Signals, left: int
) -> None:
    before = modules(sound)
    script = (
        "import time\n"
        "from edge_vc_runtime.termination import Termination\n"
        "from edge_vc_runtime.devices import VirtualMicrophone\n"
        "with Termination(), VirtualMicrophone('Kathleen'):\n"
        "    print('up', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=dict(os.environ), text=True,
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.send_signal(ending)
        child.wait(timeout=20)
    assert modules(sound) == before + left
    with VirtualMicrophone("Kathleen"):
        assert modules(sound) == before + 2
    assert modules(sound) == before
