"""Prosody, MCD, DNSMOS and intrusive metrics on signals with known answers; noise has its level."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_vc.audio.io import Samples
from edge_vc.audio.level import active_level_db
from edge_vc.audio.pitch import Pitch, interpolate_log_f0
from edge_vc.data.corpus import Corpus
from edge_vc.evaluate.metrics.dnsmos import DnsmosModel
from edge_vc.evaluate.metrics.mcd import distortion_db, mel_cepstra
from edge_vc.evaluate.metrics.pesq import pesq
from edge_vc.evaluate.metrics.prosody import contour, f0_correlation, median_f0, shift_percent
from edge_vc.evaluate.metrics.recording import Target
from edge_vc.evaluate.metrics.registry import intrusive_metrics
from edge_vc.evaluate.metrics.scorer import Scorer
from edge_vc.evaluate.metrics.stoi import stoi
from edge_vc.evaluate.noise import CLEAN, Condition, NoiseMaker, conditions
from edge_vc.evaluate.selection import EvaluationSet, select_sentences
from edge_vc.settings.optional import EvaluationError

RATE = 16000


@pytest.fixture(scope="module")
def chosen(evaluation_corpus: Corpus) -> EvaluationSet:
    return select_sentences(evaluation_corpus)


@pytest.fixture(scope="module")
def speech(chosen: EvaluationSet) -> Samples:
    return chosen.centroid[0].read(RATE)


def f0_steps(*hz: float) -> Pitch:
    """Return a contour of 20 frames for each value; 0 is unvoiced."""
    f0 = np.repeat(np.array(hz, np.float32), 20)
    return Pitch(f0, interpolate_log_f0(f0), 80)


def with_error(samples: Samples, snr_db: float) -> Samples:
    error = np.random.default_rng(0).standard_normal(samples.size).astype(np.float32)
    error *= 10 ** (-snr_db / 20) * np.linalg.norm(samples) / np.linalg.norm(error)
    return samples + error


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (f0_steps(200, 240, 300), 1.0),
        (f0_steps(50, 60, 75), 1.0),
        (f0_steps(75, 60, 50), -0.993),
        (f0_steps(100, 0, 150), 1.0),
        (f0_steps(0, 0, 0), None),
        (f0_steps(100, 100, 100), None),
    ],
    ids=["higher", "octaves lower", "falling", "a gap", "unvoiced", "monotone"],
)
def test_contours_correlate_on_the_logarithmic_scale(other: Pitch, expected: float | None) -> None:
    found = f0_correlation(f0_steps(100, 120, 150), other)
    assert found == (expected if expected is None else pytest.approx(expected, abs=0.02))


def test_median_and_shift() -> None:
    assert median_f0(f0_steps(100, 0, 0)) == 100.0
    assert median_f0(Pitch(np.zeros(50, np.float32), np.zeros(50, np.float32), 80)) is None
    few = np.zeros(50, np.float32)
    few[:19] = 100.0
    assert median_f0(Pitch(few, interpolate_log_f0(few), 80)) is None
    rising = np.linspace(100, 150, 50).astype(np.float32) * (few > 0)
    assert (
        f0_correlation(f0_steps(100, 120, 150), Pitch(rising, interpolate_log_f0(rising), 80))
        is None
    )
    assert shift_percent(165.0, 150.0) == pytest.approx(10.0)
    assert shift_percent(None, 150.0) is None


def test_timbre_is_the_same_at_any_speed_and_level(speech: Samples) -> None:
    pitch = contour(speech, RATE)
    cepstra = mel_cepstra(speech, RATE, pitch)
    quieter = mel_cepstra(speech * np.float32(0.3), RATE, contour(speech * np.float32(0.3), RATE))
    assert distortion_db(cepstra, cepstra) == pytest.approx(0.0, abs=1e-6)
    assert distortion_db(cepstra, quieter) == pytest.approx(0.0, abs=0.2)
    assert distortion_db(cepstra, np.repeat(cepstra, 2, axis=0)) == pytest.approx(0.0, abs=1e-6)
    assert distortion_db(cepstra, cepstra[:0]) is None


def test_distortion_is_in_decibels_of_the_log_spectrum() -> None:
    """A cepstral difference d is 10 / ln 10 * sqrt(2) * d dB (Kubichek 1993)."""
    cepstra = np.random.default_rng(0).normal(0, 1, (30, 24))
    moved = cepstra.copy()
    moved[:, 5] += 0.1
    assert distortion_db(cepstra, moved) == pytest.approx(0.6142, abs=1e-4)


def test_pauses_have_no_timbre(speech: Samples) -> None:
    """Frames 40 dB below the loud ones are left out, those 30 dB below are not."""
    frames = mel_cepstra(speech, RATE, contour(speech, RATE)).shape[0]
    quiet = [np.concatenate([speech, speech * np.float32(10 ** (db / 20))]) for db in (-60, -10)]
    counts = [mel_cepstra(x, RATE, contour(x, RATE)).shape[0] for x in quiet]
    assert counts[0] == pytest.approx(frames, abs=10)
    assert counts[1] > 1.5 * frames


def test_timbre_tells_speakers_apart(chosen: EvaluationSet) -> None:
    """The same sentence by the target again is nearer than by another speaker."""

    def cepstra(samples: Samples) -> np.ndarray:
        return mel_cepstra(samples, RATE, contour(samples, RATE))

    retake = chosen.topline[-1]
    reading = chosen.parallel.to(retake)
    other = next(u for u in chosen.sources if u.text == retake.text)
    assert reading is not None
    own, own_again, theirs = (cepstra(u.read(RATE)) for u in (reading, retake, other))
    near, far = distortion_db(own, own_again), distortion_db(own, theirs)
    assert near is not None
    assert far is not None
    assert near + 1.0 < far


def test_silence_has_no_timbre() -> None:
    silence = np.zeros(RATE, np.float32)
    assert mel_cepstra(silence, RATE, contour(silence, RATE)).shape == (0, 24)


def test_noise_is_less_natural(speech: Samples) -> None:
    model = DnsmosModel()
    clean = model.rate(speech, RATE)
    noisy = model.rate(with_error(speech, 5.0), RATE)
    assert clean is not None
    assert noisy is not None
    assert noisy.overall < clean.overall - 0.3
    assert noisy.background < clean.background - 0.5
    assert model.rate(speech, RATE) == clean
    assert clean.signal < clean.background
    assert noisy.background < noisy.signal
    half = speech[: speech.size // 2]
    again = model.rate(np.concatenate([half, half]), RATE)
    assert again is not None
    assert model.rate(half, RATE).overall == pytest.approx(again.overall, abs=0.1)
    assert model.rate(np.zeros(0, np.float32), RATE) is None


@pytest.mark.parametrize("metric", [stoi, pesq])
def test_intrusive_metrics_fall_with_noise_and_silence_has_none(
    speech: Samples, metric: type
) -> None:
    equal, near, far = (
        metric(speech, x, RATE) for x in (speech, with_error(speech, 20.0), with_error(speech, 0.0))
    )
    assert equal > near > far
    silence = np.zeros_like(speech)
    assert metric(speech, silence, RATE) is None
    assert metric(silence, speech, RATE) is None
    assert metric(speech[:2000], speech[:2000], RATE) is None


def test_pesq_of_equal_signals_is_the_top_of_the_wide_band_scale(speech: Samples) -> None:
    """Narrow-band PESQ ends at 4.55, wide-band at 4.64 (ITU-T P.862.2)."""
    assert pesq(speech, speech, RATE) == pytest.approx(4.644, abs=0.005)


def test_intrusive_metrics_of_a_sentence(chosen: EvaluationSet, speech: Samples) -> None:
    """The first recording is the reference: of silence as a reference nothing is known."""
    scorer = Scorer(chosen, Target(np.ones(256, np.float32), 150.0), intrusive_metrics())
    clean, noisy, silent = (
        scorer.recording(chosen.centroid[0], samples)
        for samples in (speech, with_error(speech, 12.0), np.zeros_like(speech))
    )
    found = scorer.compare(clean, noisy)
    assert found.utt_id == chosen.centroid[0].utt_id
    assert found.scores["snr_db"] == pytest.approx(12.0, abs=0.01)
    assert list(found.scores) == ["stoi", "pesq", "snr_db", "lsd_db"]
    assert set(scorer.compare(silent, clean).scores.values()) == {None}
    lost = scorer.compare(clean, silent).scores
    assert lost["snr_db"] == pytest.approx(0.0)
    assert lost["lsd_db"] is not None


@pytest.mark.parametrize("kind", ["babble", "shaped"])
@pytest.mark.parametrize("snr_db", [0.0, 10.0])
def test_noise_has_its_level_and_repeats(chosen: EvaluationSet, kind: str, snr_db: float) -> None:
    maker = NoiseMaker(chosen.voices, RATE)
    utterance = chosen.sources[0]
    samples = utterance.read(RATE) * np.float32(0.3)  # so that nothing has to be scaled down
    noisy = maker.apply(Condition(kind, snr_db), utterance, samples)
    again = NoiseMaker(chosen.voices, RATE).apply(Condition(kind, snr_db), utterance, samples)
    noise = noisy - samples
    level = 10 * np.log10(np.square(noise).mean())
    assert active_level_db(samples, RATE) - level == pytest.approx(snr_db, abs=0.1)
    assert np.array_equal(noisy, again)
    other = maker.apply(Condition(kind, snr_db), chosen.sources[1], samples)
    assert not np.array_equal(noisy, other)


def test_loud_noise_does_not_clip(chosen: EvaluationSet) -> None:
    utterance = chosen.sources[0]
    samples = utterance.read(RATE)
    noisy = NoiseMaker(chosen.voices, RATE).apply(Condition("shaped", -20.0), utterance, samples)
    assert np.abs(noisy).max() <= 1.0


def test_shaped_noise_has_the_spectrum_of_speech(chosen: EvaluationSet) -> None:
    utterance = chosen.sources[0]
    samples = utterance.read(RATE) * np.float32(0.3)
    noise = NoiseMaker(chosen.voices, RATE).apply(Condition("shaped", 0.0), utterance, samples)
    power = np.square(np.abs(np.fft.rfft(noise - samples)))
    eighth = power.size // 8
    assert power[:eighth].mean() > 10 * power[-eighth:].mean()


def test_conditions_and_what_they_refuse(chosen: EvaluationSet) -> None:
    assert conditions(None) == (CLEAN,)
    assert [c.name for c in conditions(10.0)] == ["clean", "babble 10 dB", "shaped 10 dB"]
    with pytest.raises(EvaluationError, match="give an SNR"):
        conditions(float("nan"))
    utterance = chosen.sources[0]
    alone = NoiseMaker((utterance,), RATE)
    samples = utterance.read(RATE)
    assert alone.apply(CLEAN, utterance, samples) is samples
    with pytest.raises(EvaluationError, match="babble needs a speaker other than") as caught:
        alone.apply(Condition("babble", 10.0), utterance, samples)
    assert str(utterance.path) in str(caught.value)
    moved = replace(utterance, path=Path("elsewhere.flac"))
    same = NoiseMaker(chosen.voices, RATE)
    heard = [same.apply(Condition("shaped", 5.0), u, samples) for u in (utterance, moved)]
    assert np.array_equal(*heard)
