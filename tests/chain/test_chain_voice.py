"""Pitch, level, tone, mix, bypass and backing track."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyworld
import soundfile
from chain_signals import Audio, DelayConverter, buzz, fan, largest_step, level_db, stepped

from edge_vc_runtime.chain.backing_track import BackingTrack
from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.error import ChainError
from edge_vc_runtime.chain.level_follow import LevelFollow
from edge_vc_runtime.chain.noise_reduction import NoiseReduction
from edge_vc_runtime.chain.parameters import Parameters
from edge_vc_runtime.chain.pitch_shift import PitchShift
from edge_vc_runtime.session import Session


def f0(audio: Audio, rate: int) -> float:
    samples = audio.astype(np.float64)
    rough, moments = pyworld.dio(samples, rate, f0_floor=50, f0_ceil=600)
    track = pyworld.stonemask(samples, rough, moments, rate)
    return float(np.median(track[track > 0]))


def strongest_hz(audio: Audio, rate: int) -> float:
    """The fundamental of a buzz, its strongest harmonic, between the bins of a long spectrum."""
    spectrum = np.log(np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) + 1e-9)
    k = int(np.argmax(spectrum))
    left, middle, right = spectrum[k - 1 : k + 2]
    place = k + 0.5 * (left - right) / (left - 2 * middle + right)
    return float(place * rate / len(audio))


@pytest.mark.parametrize(
    ("semitones", "rate", "hop"),
    [(-12, 16000, 160), (-5, 16000, 37), (-1, 48000, 480), (1, 8000, 80), (4, 16000, 320),
     (12, 16000, 160), (12, 48000, 120)],
)  # fmt: skip
def test_pitch_moves_f0_to_20_cents(semitones: int, rate: int, hop: int) -> None:
    audio = buzz(0.6, 140.0, rate=rate)
    shifted = stepped(PitchShift(rate, hop, Parameters({"pitch": semitones})), audio, hop)
    settled = shifted[rate // 4 :]
    cents = 1200 * np.log2(strongest_hz(settled, rate) / 140) - 100 * semitones
    assert abs(cents) < 20
    assert level_db(settled) == pytest.approx(-20, abs=0.5)
    assert largest_step(settled) < 4 * largest_step(audio) * 2 ** (semitones / 6)


def test_pitch_of_real_speech(arctic: Audio) -> None:
    audio = arctic[8000:24000]
    shifted = stepped(PitchShift(16000, 160, Parameters({"pitch": 5})), audio, 160)
    ratio = f0(shifted, 16000) / f0(audio, 16000)
    assert 1200 * np.log2(ratio) == pytest.approx(500, abs=40)


def test_pitch_switched_while_it_runs_does_not_click() -> None:
    values = Parameters()
    stage = PitchShift(16000, 160, values)
    audio = buzz(1.2, 180.0)
    out = []
    for index, hop in enumerate(audio.reshape(-1, 160)):
        if index % 15 == 7:
            values.set("pitch", [0, 3, 12, -12, 1][index // 15 % 5])
        out.append(stage.step(hop).copy())
    assert largest_step(np.concatenate(out)) < 4 * largest_step(audio) * 4


@pytest.mark.parametrize("stage", [PitchShift, NoiseReduction])
def test_off_is_the_input_itself(stage: type) -> None:
    audio = buzz(0.1)[:160]
    assert stage(16000, 160, Parameters()).step(audio) is audio


@pytest.mark.parametrize("level", [-15.0, -25.0, -40.0])
def test_the_output_is_as_loud_as_the_speaker(level: float, arctic: Audio) -> None:
    """A model that always speaks at -22 dB, as ours do."""

    class Levelled(DelayConverter):
        def step(self, audio: Audio) -> Audio:
            out = super().step(audio)
            self.loud = max(0.97 * getattr(self, "loud", 0.0), float(np.std(out)))
            return out * np.float32(0.08 / max(self.loud, 1e-6))

    audio = arctic * np.float32(10 ** ((level - level_db(arctic)) / 20))
    chain = Chain(Levelled(), Parameters({"gate": 1, "level_follow": 1}))
    out = stepped(chain, np.tile(audio, 2), 160)
    assert level_db(out[32000:]) == pytest.approx(level, abs=2.0)


def test_level_follow_is_quick_and_bounded() -> None:
    values = Parameters({"level_follow": 1})
    stage = LevelFollow(16000, 160, values, 0)
    out = []
    for level in (-20, -40, -20):
        for hop in buzz(1.0, level=level).reshape(-1, 160):
            stage.listen(hop, True)
            out.append(stage.step(buzz(0.01, level=-22)).copy())
        assert level_db(np.concatenate(out)[-4800:]) == pytest.approx(level, abs=2.0)
    for hop in buzz(1.0, level=-80).reshape(-1, 160):
        stage.listen(hop, True)
        stage.step(np.ones(160, np.float32))
    assert stage.gain_db == -36
    stage.listen(np.ones(160, np.float32), False)
    before = stage.gain_db
    stage.step(np.ones(160, np.float32))
    assert stage.gain_db == before, "nothing is learnt from what is not speech"


def test_the_shipped_bundle_follows_the_speaker(project_root: Path, arctic: Audio) -> None:
    session = Session.open(project_root / "edge_vc" / "assets" / "kathleen-base.evc")
    for gain in (1.0, 0.1):
        audio = arctic * np.float32(gain)
        chain = Chain(session, Parameters({"gate": 1, "level_follow": 1}))
        chain.reset()
        out = stepped(chain, audio, session.hop)
        assert level_db(out) == pytest.approx(level_db(audio), abs=3.0)


def test_noise_reduction_lowers_noise_and_keeps_speech(arctic: Audio) -> None:
    noise = fan(len(arctic) / 16000, -45.0)[: len(arctic)]
    stage = NoiseReduction(16000, 160, Parameters({"noise_reduction": 1}))
    silent = stepped(stage, noise, 160)
    assert level_db(silent[16000:]) < level_db(noise) - 8
    stage.reset()
    out = stepped(stage, noise + arctic, 160)[32:]
    clean = arctic[: len(out)]
    changed = out[16000:] - clean[16000:]
    assert level_db(changed) < level_db(clean) - 14, "speech stays"
    assert level_db(out) == pytest.approx(level_db(clean), abs=1.0)


def through(values: dict[str, object], audio: Audio, backing: BackingTrack | None = None) -> Audio:
    chain = Chain(DelayConverter(gain=0.5), Parameters(values), backing)
    return stepped(chain, np.pad(audio, (0, chain.delay)), 160)[chain.delay :][: len(audio)]


def test_dry_and_wet_coincide() -> None:
    """With a model that halves, half of each is three quarters: nothing is out of time."""
    audio = buzz(0.5, 200.0)
    wet, dry, half = (through({"mix": mix}, audio)[1600:] for mix in (100, 0, 50))
    np.testing.assert_array_equal(dry, audio[1600:])
    np.testing.assert_allclose(half, (wet + dry) / 2, atol=1e-6)


def test_bypass_fades_and_rests_the_model() -> None:
    model = DelayConverter(gain=0.2)
    chain = Chain(model, Parameters())
    audio = buzz(1.0, 200.0)
    out = []
    for index, hop in enumerate(audio.reshape(-1, 160)):
        if index in (30, 70):
            chain.parameters.change("bypass", 1)
        out.append(chain.step(hop).copy())
        if index == 45:
            steps = model.steps
        if index == 69:
            assert model.steps == steps
            assert chain.bypassed
    heard = np.concatenate(out)
    np.testing.assert_array_equal(heard[50 * 160 : 69 * 160], audio[49 * 160 : 68 * 160])
    assert largest_step(heard) < 1.5 * largest_step(audio)


@pytest.mark.parametrize("name", ["gain", "low", "mid", "high", "mix", "level_follow", "gate"])
def test_no_change_clicks(name: str) -> None:
    values = Parameters()
    chain = Chain(DelayConverter(hop=40), values)
    audio = buzz(0.8, 200.0, -30)
    parameter = values.declared[name]
    out = []
    for index, hop in enumerate(audio.reshape(-1, 40)):
        if index % 40 == 20:
            values.set(name, [parameter.high, parameter.low][index // 40 % 2])
        out.append(chain.step(hop).copy())
    loudest = max(1.0, 10 ** (parameter.high / 20) if parameter.unit == "dB" else 1.0)
    heard = np.concatenate(out)[800:]  # the buzz itself begins with a click
    assert largest_step(heard) < 1.5 * loudest * largest_step(audio)


@pytest.mark.parametrize("offset", [0.0, 250.0, -250.0])
@pytest.mark.parametrize("pitch", [0, 3])
def test_a_backing_track_is_in_time_with_the_voice(
    tmp_path: Path, offset: float, pitch: int
) -> None:
    track = np.zeros(16000, np.float32)
    track[8000] = 0.5
    soundfile.write(tmp_path / "track.wav", track, 16000)
    backing = BackingTrack.load(tmp_path / "track.wav", 16000, 160, offset)
    silence = np.zeros(24000, np.float32)
    out = through({"pitch": pitch, "backing_gain": 0}, silence, backing)
    assert int(np.argmax(np.abs(out))) == 8000 + round(offset * 16)
    assert out.max() == pytest.approx(0.5, abs=1e-3)


def test_a_backing_track_of_another_rate_is_limited_and_starts_again(tmp_path: Path) -> None:
    tone = 0.9 * np.sin(np.arange(44100) * 0.05)
    soundfile.write(tmp_path / "track.flac", np.stack([tone, tone], 1), 44100)
    backing = BackingTrack.load(tmp_path / "track.flac", 16000, 160)
    assert backing.seconds == pytest.approx(1.0, abs=1e-3)
    chain = Chain(DelayConverter(), Parameters({"backing_gain": 12}), backing)
    first = stepped(chain, buzz(1.5, level=-6), 160)
    assert np.abs(first).max() <= 0.945
    chain.reset()
    np.testing.assert_array_equal(stepped(chain, buzz(1.5, level=-6), 160), first)


@pytest.mark.parametrize("name", ["track.wav", "track.flac"])
def test_a_backing_track_that_is_too_long(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its header says: a FLAC that was written to a pipe has no length in it."""
    soundfile.write(tmp_path / name, np.zeros(16000), 8000)
    if name.endswith(".flac"):
        content = bytearray((tmp_path / name).read_bytes())
        content[21] &= 0xF0
        content[22:26] = bytes(4)
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr("edge_vc_runtime.chain.backing_track.LONGEST_S", 1)
    with pytest.raises(ChainError, match="is too long for a backing track; at most 1 s: cut it"):
        BackingTrack.load(tmp_path / name, 16000, 160)


def test_channels_of_a_backing_track_that_cancel_each_other_are_said(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(np.arange(16000) * 0.05)
    soundfile.write(tmp_path / "track.wav", np.stack([0.9 * tone, -tone], 1), 16000)
    backing = BackingTrack.load(tmp_path / "track.wav", 16000, 160)
    assert "channel 2, the loudest, is taken alone" in (backing.notice or "")
    out = through({"backing_gain": 0}, np.zeros(16000, np.float32), backing)
    assert np.abs(out).max() == pytest.approx(0.5, abs=0.02)
