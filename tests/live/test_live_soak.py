"""Half an hour of speech through the whole chain: the offline result, no drift, no growth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from loop_rig import LoopRig

from edge_vc_export.parity.speech import example_speech
from edge_vc_runtime.audio.block_resampler import BlockResampler
from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.session import Session

CARD = 48000
HOP, RATE = 160, 16000
PIECE_S = 15.0


def offline(chain: Chain, pieces: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Convert without a loop: resample, step, resample, one piece after the other."""
    down, up = BlockResampler(CARD, RATE, HOP * 3), BlockResampler(RATE, CARD, HOP)
    for piece in pieces:
        blocks = piece.reshape(-1, HOP * 3)
        yield np.concatenate([up.push(chain.step(down.push(b).copy())).copy() for b in blocks])


def memory_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError


def soak(bundle: Path, pieces: int, settled: int) -> int:
    """Return by how many kB memory grew after the first ``settled`` pieces."""
    speech = example_speech(PIECE_S, CARD)
    card = StreamFormat(CARD, 1, "float32", 120)
    rig = LoopRig(Chain(Session.open(bundle)), card, card, reserve_s=0.006)
    expected = offline(Chain(Session.open(bundle)), iter([speech] * pieces))
    rest = np.zeros(0, np.float32)  # converted offline, not heard yet
    start, before = 0, 0
    for piece in range(pieces):
        heard = rig.run(speech[:, None])[:, 0]
        rig.forget()
        rest = np.concatenate((rest, next(expected)))
        if piece == 0:
            start = int(np.flatnonzero(heard)[0]) - int(np.flatnonzero(rest)[0])
            heard = heard[start:]
        np.testing.assert_array_equal(heard, rest[: heard.size])
        rest = rest[heard.size :].copy()
        if piece + 1 == settled:
            before = memory_kb()
    counters = rig.counters
    assert counters.xruns == counters.muted == counters.dropped == 0
    assert 0 < start < CARD // 20
    return memory_kb() - before


def test_speech_equals_the_offline_conversion(project_root: Path) -> None:
    bundle = project_root / "edge_vc" / "assets" / "kathleen-nano.evc"
    soak(bundle, pieces=1, settled=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_half_an_hour_is_flat_in_memory(project_root: Path) -> None:
    bundle = project_root / "edge_vc" / "assets" / "kathleen-base.evc"
    assert soak(bundle, pieces=120, settled=20) < 1024
