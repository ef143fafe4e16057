"""The gate: noise stays out, speech gets in, the model rests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from chain_signals import (
    Audio,
    DelayConverter,
    breath,
    buzz,
    fan,
    keyboard,
    largest_step,
    level_db,
    stepped,
)

from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.high_pass import HighPass
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.voice_detector import VoiceDetector
from edge_vc_runtime.chain.voice_gate import VoiceGate
from edge_vc_runtime.session import Session

GATED = {"gate": 1}
LIVE = {"gate": 1, "level_follow": 1}


def gated(audio: Audio, hop: int = 160, rate: int = 16000) -> tuple[Audio, VoiceGate]:
    """Return the gate's output, aligned with its input, and the gate."""
    gate = VoiceGate(DelayConverter(hop, rate), Parameters(GATED))
    clean = stepped(HighPass(rate, hop), np.pad(audio, (0, gate.delay)), hop)
    return stepped(gate, clean, hop)[gate.delay :], gate


@pytest.mark.parametrize(("rate", "hop"), [(16000, 160), (8000, 20), (16000, 320), (48000, 480)])
@pytest.mark.parametrize("sound", [fan, breath, keyboard])
def test_noise_is_silence_and_costs_no_inference(sound: object, rate: int, hop: int) -> None:
    out, gate = gated(sound(12.0, rate=rate), hop, rate)
    assert level_db(out) == -120
    assert gate.stepped * hop <= rate + hop, "the first second, to know the room"


def test_all_noises_together_and_after_speech(arctic: Audio) -> None:
    noise = fan(8.0) + breath(8.0) + keyboard(8.0)
    out, _ = gated(np.concatenate([arctic, noise]))
    assert level_db(out[: len(arctic)]) == pytest.approx(level_db(arctic), abs=0.5)
    start = len(arctic) + 16000  # the tail of the last word is over
    assert level_db(out[start:]) == -120


@pytest.mark.parametrize("level", [-20.0, -35.0, -45.0])
@pytest.mark.parametrize("f0", [90.0, 140.0, 250.0])
@pytest.mark.parametrize("hop", [80, 160, 320])
def test_a_voice_opens_within_30_ms_without_a_click(level: float, f0: float, hop: int) -> None:
    rng = np.random.default_rng(0)
    silence = (10 ** (-75 / 20) * rng.standard_normal(16000)).astype(np.float32)
    voice = buzz(0.5, f0, level)
    voice[:160] *= np.linspace(0, 1, 160, dtype=np.float32)
    out, _ = gated(np.concatenate([silence, voice]), hop)
    assert np.flatnonzero(np.abs(out) > 1e-9)[0] < 16000 + max(480, 2.2 * hop)
    clean = stepped(HighPass(16000, hop), np.concatenate([silence, voice]), hop)
    np.testing.assert_allclose(out[17000:], clean[17000 : len(out)], atol=1e-5)
    assert largest_step(out[15000:]) < 1.5 * largest_step(clean[17000:])


def test_the_onset_comes_out_of_the_delay() -> None:
    """What the model was not given while the gate was closed is given when it opens."""
    gate = VoiceGate(DelayConverter(160, 16000, 320), Parameters(GATED))
    rng = np.random.default_rng(0)
    audio = np.concatenate([1e-4 * rng.standard_normal(32000), buzz(0.3)]).astype(np.float32)
    heard = [(gate.step(hop).copy(), gate.open) for hop in audio.reshape(-1, 160)]
    first = next(index for index, (_, is_open) in enumerate(heard) if is_open)
    out, place = heard[first][0], first * 160 - 320
    np.testing.assert_allclose(out[60:], audio[place + 60 : place + 160], atol=1e-6)
    assert gate.stepped == 100 + 3 + len(heard) - first


def test_closing_fades_and_keeps_the_state() -> None:
    gate = VoiceGate(DelayConverter(), Parameters(GATED))
    audio = np.concatenate([buzz(0.5), np.zeros(16000, np.float32)])
    audio[8000:] += 1e-4
    stepped(gate, audio, 160)
    assert not gate.open
    assert np.any(gate.converter._past), "the model's state stays as it was"
    steps = gate.stepped
    stepped(gate, np.zeros(1600, np.float32), 160)
    assert gate.stepped == steps


@pytest.mark.parametrize("event", ["bang", "shouting"])
def test_what_happened_is_forgotten_in_two_seconds(event: str, arctic: Audio) -> None:
    """The eleventh invariant: after a bang or 10 s of shouting, speech is heard as without."""
    if event == "bang":
        before = np.random.default_rng(0).uniform(-1, 1, 1600).astype(np.float32)
    else:
        before = np.clip(np.tile(arctic * 30, 4)[:160000], -1, 1)
    pause = fan(1.9, -65.0)
    speech = arctic * np.float32(0.1)
    plain, _ = gated(np.concatenate([pause, speech]))
    out, _ = gated(np.concatenate([before, pause, speech]))
    after = out[len(before) + len(pause) :]
    assert level_db(after) == pytest.approx(level_db(plain[len(pause) :]), abs=1.0)


def test_the_floor_follows_a_quieter_and_a_louder_room() -> None:
    detector = VoiceDetector(16000, 160)
    for level in (-60.0, -40.0, -70.0):
        for hop in fan(2.2, level).reshape(-1, 160):
            detector.step(hop, -90.0)
        assert detector.floor_db == pytest.approx(level, abs=4.0)


def test_threshold_and_switch() -> None:
    voice = buzz(0.5, level=-45.0)
    values = Parameters({"gate": 1, "gate_threshold": -40})
    gate = VoiceGate(DelayConverter(), values)
    assert not stepped(gate, voice, 160).any()
    values.set("gate_threshold", -60)
    assert stepped(gate, voice, 160).any()
    values.set("gate", False)
    quiet = 1e-3 * np.ones(3200, np.float32)
    assert level_db(stepped(gate, quiet, 160)[-160:]) == pytest.approx(-60, abs=0.1)


def test_a_conversion_that_is_not_finite_is_muted() -> None:
    class Broken(DelayConverter):
        def step(self, audio: Audio) -> Audio:
            out = super().step(audio)
            return out * np.float32(np.nan) if self.steps == 20 else out

    chain = Chain(Broken(), Parameters())
    out = stepped(chain, buzz(0.5), 160)
    assert np.isfinite(out).all()
    assert chain.muted == 1


def test_look_ahead_opens_before_the_onset() -> None:
    rng = np.random.default_rng(0)
    silence = (1e-4 * rng.standard_normal(8000)).astype(np.float32)
    audio = np.concatenate([silence, buzz(0.3)])
    chain = Chain(DelayConverter(), Parameters(GATED), lookahead_ms=60.0)
    assert chain.delay == 160 + 960
    out = stepped(chain, np.pad(audio, (0, chain.delay)), 160)[chain.delay :]
    clean = stepped(HighPass(16000, 160), audio, 160)
    np.testing.assert_allclose(out[8000:], clean[8000:], atol=1e-5)


def lost_share(audio: Audio) -> float:
    """The share of loud hops, within 20 dB of the loudest, that the gate took away."""
    out, _ = gated(audio)
    hops = len(audio) // 160
    before = np.mean(audio[: hops * 160].reshape(hops, 160) ** 2, 1)
    after = np.mean(out[: hops * 160].reshape(hops, 160) ** 2, 1)
    loud = before > np.percentile(before, 95) / 100
    return float(np.mean(after[loud] < before[loud] / 4))


@pytest.mark.corpus
@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_speech_of_many_speakers_gets_through(corpus: Path, gain: float) -> None:
    files = [
        path
        for name in ("cmu_arctic", "ljspeech", "rhasspy_flemishguy", "rhasspy_kathleen", "vctk")
        for folder in sorted((corpus / "eval" / name).iterdir())
        for path in sorted(folder.iterdir())[:2]
    ]
    assert len(files) > 10
    lost = []
    for path in files:
        audio, rate = soundfile.read(path, dtype="float32")
        lost.append(lost_share(soxr.resample(audio, rate, 16000)[:96000] * np.float32(gain)))
    assert np.mean(lost) < 0.04
    assert max(lost) < 0.15


def base(project_root: Path) -> Session:
    return Session.open(project_root / "edge_vc" / "assets" / "kathleen-base.evc")


def noise_below_speech_db(session: Session, speech: Audio, seconds: float) -> float:
    noise = fan(seconds) + breath(seconds) + keyboard(seconds)
    levels = []
    for audio in (speech, noise):
        chain = Chain(session, Parameters(LIVE))
        chain.reset()
        levels.append(level_db(stepped(chain, audio, session.hop)))
    return levels[0] - levels[1]


def test_noise_through_the_bundle_is_far_below_speech(project_root: Path, arctic: Audio) -> None:
    session = base(project_root)
    assert noise_below_speech_db(session, arctic, 6.0) > 40
    ungated = Chain(session, Parameters())
    ungated.reset()
    assert level_db(stepped(ungated, fan(3.0) + keyboard(3.0), session.hop)) > -55


@pytest.mark.slow
def test_a_minute_of_noise_through_the_bundle(project_root: Path, arctic: Audio) -> None:
    assert noise_below_speech_db(base(project_root), arctic, 60.0) > 40
