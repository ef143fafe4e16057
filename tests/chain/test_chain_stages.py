"""What holds for every stage: hops of any length, the stated delay, reset, hostile input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from chain_signals import Audio, DelayConverter, breath, buzz, stepped
from scipy.signal import butter, lfilter, sosfilt

from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.equalizer import Equalizer
from edge_vc_runtime.chain.gain import Gain
from edge_vc_runtime.chain.high_pass import CORNER_HZ, HighPass
from edge_vc_runtime.chain.level_follow import LevelFollow
from edge_vc_runtime.chain.limiter import CEILING, Limiter
from edge_vc_runtime.chain.noise_reduction import NoiseReduction
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.pitch_shift import PitchShift
from edge_vc_runtime.chain.stage import ChainStage
from edge_vc_runtime.chain.voice_gate import VoiceGate
from edge_vc_runtime.input_guard import InputGuard

Make = Callable[[int, int, Parameters], ChainStage]

LINEAR: dict[str, Make] = {
    "high-pass": lambda rate, hop, values: HighPass(rate, hop),
    "equaliser": Equalizer,
    "gain": Gain,
}
STAGES: dict[str, Make] = {
    **LINEAR,
    "input guard": lambda rate, hop, values: InputGuard(hop),
    "noise reduction": NoiseReduction,
    "level follow": lambda rate, hop, values: LevelFollow(rate, hop, values, 160),
    "pitch shift": PitchShift,
    "limiter": lambda rate, hop, values: Limiter(rate, hop),
    "voice gate": lambda rate, hop, values: VoiceGate(DelayConverter(hop, rate), values),
    "chain": lambda rate, hop, values: Chain(DelayConverter(hop, rate), values),
}
OFF: dict[str, float] = {}
ON = {
    "noise_reduction": 1, "gate": 1, "pitch": 3, "gain": -6, "low": 4, "mid": -3, "high": 6,
    "level_follow": 1, "mix": 70,
}  # fmt: skip
SHAPES = [(8000, 20), (16000, 160), (16000, 37), (16000, 320), (48000, 480), (44100, 441)]


def loud(seconds: float, rate: int) -> Audio:
    rng = np.random.default_rng(3)
    return (0.2 * rng.standard_normal(round(seconds * rate))).astype(np.float32)


@pytest.mark.parametrize(("rate", "hop"), SHAPES)
def test_the_high_pass_is_the_recursion(rate: int, hop: int) -> None:
    audio = loud(0.5, rate) + 0.3
    expected = sosfilt(butter(2, CORNER_HZ, "high", fs=rate, output="sos"), audio)
    out = stepped(HighPass(rate, hop), audio, hop)
    np.testing.assert_allclose(out, expected[: len(out)], atol=1e-6)


@pytest.mark.parametrize(("rate", "hop"), SHAPES)
def test_the_equaliser_is_its_three_bands(rate: int, hop: int) -> None:
    audio = loud(0.5, rate)
    bands = []
    for corner, kind in ((250, "low"), (min(4000, 0.3 * rate), "high")):
        bands.append(lfilter(*butter(1, corner, kind, fs=rate), audio))
    gains = [10 ** (ON[name] / 20) for name in ("low", "high", "mid")]
    expected = sum(g * b for g, b in zip(gains, [*bands, audio - bands[0] - bands[1]], strict=True))
    out = stepped(Equalizer(rate, hop, Parameters(ON)), audio, hop)
    start = round(0.2 * rate)  # the gains have arrived
    np.testing.assert_allclose(out[start:], expected[start : len(out)], atol=2e-4)


@pytest.mark.parametrize("name", LINEAR)
def test_any_partition_gives_the_same(name: str) -> None:
    audio = loud(0.5, 16000)
    outs = [stepped(LINEAR[name](16000, hop, Parameters(ON)), audio, hop) for hop in (400, 25, 160)]
    for out in outs[1:]:
        np.testing.assert_allclose(out[4000:], outs[0][4000:], atol=2e-4)


@pytest.mark.parametrize("values", [OFF, ON], ids=["off", "on"])
@pytest.mark.parametrize("name", STAGES)
def test_reset_returns_to_the_start(name: str, values: dict[str, float]) -> None:
    audio = buzz(0.4) + breath(0.4)
    stage = STAGES[name](16000, 160, Parameters(values))
    first = stepped(stage, audio, 160)
    stage.reset()
    np.testing.assert_array_equal(stepped(stage, audio, 160), first)


@pytest.mark.parametrize("name", STAGES)
def test_a_step_leaves_its_input_alone(name: str) -> None:
    stage = STAGES[name](16000, 160, Parameters(ON))
    for piece in (4 * loud(0.2, 16000)).reshape(-1, 160):
        kept = piece.copy()
        stage.step(piece)
        np.testing.assert_array_equal(piece, kept)


def hostile(rate: int, hop: int) -> dict[str, Audio]:
    n = 40 * hop
    square = np.where(np.arange(n) // 7 % 2, 1.0, -1.0)
    rng = np.random.default_rng(4)
    wild = rng.choice([np.nan, np.inf, -np.inf, 1e18, -1e18, 0.1], n)
    return {"DC": np.ones(n), "square": square, "wild": wild, "denormal": np.full(n, 1e-42)}


@pytest.mark.parametrize("kind", ["DC", "square", "wild", "denormal"])
@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize(("rate", "hop"), SHAPES[:3])
def test_hostile_input_behind_the_guard_stays_finite(
    name: str, kind: str, rate: int, hop: int
) -> None:
    guard = InputGuard(hop)
    stage = STAGES[name](rate, hop, Parameters(ON))
    audio = hostile(rate, hop)[kind].astype(np.float32)
    out = np.concatenate([stage.step(guard.step(p)).copy() for p in audio.reshape(-1, hop)])
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 30
    after = stepped(
        stage, np.zeros(60 * hop, np.float32) + buzz(1, 140, -30, rate)[: 60 * hop], hop
    )
    assert np.isfinite(after).all()


def test_the_guard_counts_what_it_repairs() -> None:
    guard = InputGuard(4)
    good = np.float32([0.5, -1.0, 1.0, 0.0])
    assert guard.step(good) is good
    bad = np.float32([np.nan, np.inf, -3.0, 0.25])
    np.testing.assert_array_equal(guard.step(bad), np.float32([0.0, 1.0, -1.0, 0.25]))
    assert guard.clipped == 3


@pytest.mark.parametrize("name", ["noise reduction", "pitch shift", "voice gate", "chain"])
@pytest.mark.parametrize("values", [OFF, ON], ids=["off", "on"])
def test_the_delay_is_as_stated(name: str, values: dict[str, float]) -> None:
    """Seen by correlation, or by the centre of a burst where the pitch is shifted."""
    rate, hop = 16000, 160
    values = {**values, "gate": 0, "level_follow": 0, "mix": 100}
    stage = STAGES[name](rate, hop, Parameters(values))
    audio = buzz(1.0, 200.0)
    audio[: rate // 2] = 0
    audio[rate * 3 // 4 :] = 0
    out = stepped(stage, np.concatenate([audio, np.zeros(hop * 10, np.float32)]), hop)
    if not values.get("pitch") or name == "noise reduction":
        match = np.correlate(out[: len(audio)], audio, "full")
        delay = int(np.argmax(match)) - (len(audio) - 1)
        assert delay == pytest.approx(stage.delay, abs=3)  # the high-pass turns the phase a little
        return
    moment = np.average(np.arange(len(out)), weights=np.square(out, dtype=np.float64))
    before = np.average(np.arange(len(audio)), weights=np.square(audio, dtype=np.float64))
    assert moment - before == pytest.approx(stage.delay, abs=0.008 * rate)


@pytest.mark.parametrize(("rate", "hop"), SHAPES)
def test_the_limiter_holds_its_ceiling_and_lets_go(rate: int, hop: int) -> None:
    limiter = Limiter(rate, hop)
    out = stepped(limiter, 4 * loud(0.5, rate), hop)
    assert np.abs(out).max() <= np.float32(CEILING)
    assert limiter.reduction_db > 0
    quiet = 0.1 * loud(2.0, rate)[: 2 * rate // hop * hop]
    np.testing.assert_array_equal(stepped(limiter, quiet, hop)[-hop:], quiet[-hop:])
    assert limiter.reduction_db == 0


def test_what_needs_no_change_passes_untouched() -> None:
    audio = buzz(0.5)
    out = stepped(Chain(DelayConverter(), Parameters()), audio, 160)
    rumble_free = sosfilt(butter(2, CORNER_HZ, "high", fs=16000, output="sos"), audio)
    np.testing.assert_allclose(out[160:], rumble_free[:-160], atol=1e-6)
