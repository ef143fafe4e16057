"""The playback buffer, driven sample by sample in a browser: no gaps, no growing delay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from browser import Browser, running_browser

pytestmark = pytest.mark.live
FRAME, QUANTUM, RATE = 480, 128, 48000
# The audio thread without one: a clock that the test moves, and a network of given delays.
STAGE = """
globalThis.currentFrame = 0;
globalThis.sampleRate = 48000;
globalThis.AudioWorkletProcessor = class { port = { postMessage: (told) => { last = told; } }; };
let last = null;
let Processor = null;
globalThis.registerProcessor = (name, made) => { Processor = made; };
globalThis.simulate = (delays, seconds) => {
  currentFrame = 0;
  const processor = new Processor({ processorOptions: { frame: 480 } });
  const wires = [];
  processor.port.onmessage({ data: { wire: { postMessage: (frame) => wires.push(frame) } } });
  const arrivals = [];
  const heard = [];
  const delaysOverTime = [];
  let sent = 0;
  while (currentFrame < seconds * sampleRate) {
    const tone = (_, at) => Math.sin(0.05 * (currentFrame + at));
    const input = Float32Array.from({ length: 128 }, tone);
    const output = new Float32Array(128);
    while (arrivals.length && arrivals[0].at <= currentFrame) processor.arrive(arrivals.shift());
    processor.process([[input]], [[output]]);
    heard.push(...output);
    for (const frame of wires.splice(0)) {
      const late = delays[sent % delays.length] * sampleRate;
      const at = Math.max(currentFrame + late, arrivals.length ? arrivals.at(-1).at : 0);
      arrivals.push({ ...frame, at });
      sent += 1;
    }
    if (last) delaysOverTime.push(last.delay);
    currentFrame += 128;
  }
  return { ...last, heard: heard.slice(-4800), delays: delaysOverTime };
};
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    script = (files("edge_vc.serve") / "page" / "worklet.js").read_text(encoding="utf-8")
    with running_browser(tmp_path_factory.mktemp("profile")) as browser:
        browser.run(f"(0, eval)({json.dumps(STAGE + script)})")
        yield browser


def simulate(stage: Browser, delays: list[float], seconds: float) -> dict[str, Any]:
    result: dict[str, Any] = stage.run(f"simulate({json.dumps(delays)}, {seconds})")
    return result


def roughness(audio: list[float]) -> float:
    """Largest second difference: a seam or a gap in a smooth tone stands out."""
    return float(np.abs(np.diff(audio, 2)).max())


def test_a_steady_network_gives_the_tone_untouched(stage: Browser) -> None:
    told = simulate(stage, [0.02], 5)
    assert told["gaps"] == 0
    assert roughness(told["heard"]) < 0.003
    # A frame to collect, 20 ms on the way, and the reserve.
    assert 30 <= told["delay"] <= 30 + 12 + 10 + 3


def test_jitter_is_learnt_once_and_then_bridged(stage: Browser) -> None:
    jitter = [0.02, 0.02, 0.05, 0.02, 0.09, 0.02, 0.02, 0.03]
    early, late = simulate(stage, jitter, 4), simulate(stage, jitter, 14)
    assert early["gaps"] > 0
    assert late["gaps"] - early["gaps"] <= 1
    assert roughness(late["heard"]) < 0.003


@pytest.mark.parametrize("stall", [0.25, 0.6], ids=["little by little", "at once"])
def test_the_delay_after_a_stall_comes_down_again(stage: Browser, stall: float) -> None:
    delays = [0.02] * 100 + [stall] + [0.02] * 5000
    told = simulate(stage, delays, 25)
    at = [delay for delay in told["delays"] if delay is not None]
    assert (max(at) > 100) == (stall < 0.35)
    assert at[-1] < 65
    assert told["cut"] > 0
    assert roughness(told["heard"]) < 0.003


def test_the_seam_of_a_cut_is_smooth(stage: Browser) -> None:
    told = simulate(stage, [0.02] * 50 + [0.12] + [0.02] * 5000, 1.9)
    assert told["cut"] > 0
    assert np.abs(np.diff(told["heard"])).max() < 0.12
