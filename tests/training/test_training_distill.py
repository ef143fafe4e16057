from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from edge_vc.augmentation.feature_augment import FeatureAugment
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Prediction, Student
from edge_vc.models.voice.config import VoiceConfig
from edge_vc.models.voice.head import TeacherSourceFilterHead
from edge_vc.training.devices import OneDevice
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.student.batches import DistillBatches
from edge_vc.training.student.distiller import Distillation
from edge_vc.training.student.inputs.input_features import LOUD_EVERY
from edge_vc.training.student.pitch import pitch_error, train_pitch
from edge_vc.training.student.settings import DistillSettings
from edge_vc.training.student.targets import between, targets_for

TINY = StudentConfig(channels=16, hidden=(16, 16), dilations=(1, 2), outputs=16)
QUICK = DistillSettings(steps=6, batch=2, segment_seconds=0.32, seed=3)
FLOAT = OneDevice("cpu", "32")


def example(frames: int = 120, seed: int = 0, bands: int = 80) -> LabelledAudio:
    rng = np.random.default_rng(seed)
    time = np.arange(frames * 160) / 16000
    voice = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 20))
    source = (2000 * voice + 300 * rng.normal(size=len(time))).astype(np.int16)
    f0 = np.full(frames, 150.0, np.float32)
    f0[:20] = 0
    return LabelledAudio(
        source, source // 2, f0, rng.normal(-3, 0.1, (3 * bands, frames)).astype(np.float16)
    )


def student(config: StudentConfig = TINY) -> Student:
    torch.manual_seed(0)
    return Student(config)


def trained(folder: Path, settings: DistillSettings) -> Student:
    return Distillation(student(), [example(seed=s) for s in (1, 2)], settings, folder, FLOAT).run()


def test_beginnings_are_heard_more_often() -> None:
    batches = DistillBatches(student(), [example(1100)], 100)
    rng = np.random.default_rng(0)
    starts = [batches._start(1100, rng) for _ in range(300)]
    early = np.mean(np.array(starts) < 100)
    assert 0.3 < early < 0.5
    assert max(starts) > 800


def test_what_a_waiting_student_predicts_is_late() -> None:
    rows = []
    for lookahead in (0, 2):
        net = student(replace(TINY, lookahead=lookahead))
        rows.append(DistillBatches(net, [example()], 100).draw(1, np.random.default_rng(0)))
    now, late = rows
    first = int(np.flatnonzero(np.diff(now.voiced.flatten().numpy()))[0])
    assert int(np.flatnonzero(np.diff(late.voiced.flatten().numpy()))[0]) == first + 2
    assert now.bands is not None
    assert late.bands is not None
    torch.testing.assert_close(late.bands[..., 2:], now.bands[..., :-2])
    torch.testing.assert_close(late.audio[:, 320:], now.audio[:, :-320])


def test_the_trunk_is_shown_other_throats_and_microphones() -> None:
    net = student()
    calm, shaken = (
        DistillBatches(net, [example()], 100, kind).draw(4, np.random.default_rng(0))
        for kind in (FeatureAugment(0.0, 0.0, (1.0, 1.0)), FeatureAugment(0.1, 0.5))
    )
    torch.testing.assert_close(calm.augmented, calm.features)
    torch.testing.assert_close(shaken.features, calm.features)
    apart = (shaken.augmented - shaken.features)[:, :, 0]
    assert apart.abs().mean() > 0.1
    assert float(shaken.augmented.min()) >= TINY.input_floor
    flat = torch.zeros(2, TINY.mels, 1, 5)
    colour = FeatureAugment(0.0, 0.5)(flat, TINY, np.random.default_rng(1))
    torch.testing.assert_close(colour, colour[..., :1].expand_as(colour))
    assert not torch.allclose(colour[0], colour[1])


@pytest.mark.parametrize(
    "wrong", [{"expansion": (2.0, 0.4)}, {"expansion": (0.0, 1.0)}, {"warp": -1}]
)
def test_an_augmentation_that_cannot_be_drawn_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        FeatureAugment(**wrong)


def test_a_batch_is_aligned_with_the_students_delay() -> None:
    net = student()
    batch = DistillBatches(net, [example()], 100).draw(3, np.random.default_rng(0))
    assert batch.features.shape == (3, TINY.mels, 1, 100)
    assert batch.f0.shape == batch.voiced.shape == (3, 1, 1, 100)
    assert batch.bands is not None
    assert batch.bands.shape == (3, TINY.bands, 2, 100)
    assert batch.audio.shape == (3, 16000)
    assert (batch.f0 > 0).all()
    assert set(batch.voiced.unique().tolist()) <= {0.0, 0.5, 1.0}
    target = np.concatenate([np.zeros(net.delay), example().target])[: 120 * 160] / 32767
    heard = batch.audio[0].numpy()
    places = [np.abs(target[k * 160 :][:16000] - heard).max() for k in range(20)]
    assert min(places) < 1e-4


def test_recordings_shorter_than_a_segment_are_refused() -> None:
    with pytest.raises(ValueError, match="the longest has 50"):
        DistillBatches(student(), [example(50)], 100)


def test_a_student_comes_closer_to_its_teacher(tmp_path: Path) -> None:
    heard = example(seed=1)
    source = torch.from_numpy(heard.source.astype(np.float32) / 32767)[None, None, None]
    target = torch.from_numpy(heard.target.astype(np.float32) / 32767)[None]
    net = student().eval()
    late = torch.nn.functional.pad(target, (net.delay, 0))[:, : target.shape[1]]
    pupil = trained(tmp_path, replace(QUICK, steps=120, learning_rate=5e-3))
    with torch.no_grad():
        before = float(SpectralLoss()(net(source)[:, 0, 0], late))
        after = float(SpectralLoss()(pupil(source)[:, 0, 0], late))
    assert after < 0.6 * before


@pytest.mark.parametrize("term", ["waveform", "stft", "mel", "feature", "adversarial"])
def test_every_term_can_be_switched(term: str, tmp_path: Path) -> None:
    off = trained(tmp_path / "off", replace(QUICK, adversarial_from=0.0, **{term: 0.0}))
    on = trained(tmp_path / "on", replace(QUICK, adversarial_from=0.0, **{term: 2.0}))
    weights = zip(off.parameters(), on.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in weights)


def test_training_resumes_to_the_same_weights(tmp_path: Path) -> None:
    whole = trained(tmp_path / "whole", QUICK)
    run = Distillation(student(), [example(seed=s) for s in (1, 2)], QUICK, tmp_path / "cut", FLOAT)
    run.folder.mkdir()
    for _ in range(3):
        rng = np.random.default_rng([QUICK.seed, run.step])
        run._train_step(run.batches.draw(QUICK.batch, rng), run._progress())
        run.step += 1
    run.checkpoint.save(run.step, run.watch.seconds)
    resumed = trained(tmp_path / "cut", QUICK)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value, msg=name)


def test_a_plain_head_learns_without_a_source(tmp_path: Path) -> None:
    net = student(replace(TINY, head="istft"))
    before = net.trunk.state_dict()["0.conv.weight"].clone()
    Distillation(net, [example()], QUICK, tmp_path, FLOAT).run()
    assert not torch.equal(net.trunk.state_dict()["0.conv.weight"], before)


def test_a_teacher_without_bands_can_teach(tmp_path: Path) -> None:
    plain = replace(example(), bands=np.zeros((0, 120), np.float16))
    Distillation(student(), [plain], QUICK, tmp_path, FLOAT).run()
    rows = (tmp_path / "log.jsonl").read_text()
    assert "feature" not in rows


def test_bands_of_unit_gain_sound_like_the_teachers_sources() -> None:
    """Flat filters on the teacher's unit-power sources, moved over, give unit power again."""
    flat = replace(
        example(), f0=np.full(120, 160.0, np.float32), bands=np.zeros((240, 120), np.float16)
    )
    net = student().eval()
    batch = DistillBatches(net, [flat], 100).draw(1, np.random.default_rng(0))
    assert batch.bands is not None
    silent = torch.full_like(batch.bands[:, :, :1], -20.0)
    phase = torch.zeros_like(silent)
    features = torch.zeros(1, TINY.outputs, 1, 100)
    for harmonic, noise in [(batch.bands[:, :, :1], silent), (silent, batch.bands[:, :, 1:])]:
        bands = torch.cat([harmonic, noise, phase], dim=2)
        with torch.no_grad():
            prediction = replace(net.head.predict(features), bands=bands)
            audio = net.synthesize(prediction, batch.f0, torch.ones_like(batch.f0))
        power = float(audio[..., 1600:].square().mean())
        assert power == pytest.approx(1.0, rel=0.2)


@pytest.mark.parametrize("window", [320, 480, 640])
def test_what_the_targets_change_is_heard_when_the_teacher_changes_it(window: int) -> None:
    rng = np.random.default_rng(0)
    frames, loudness = 600, np.repeat(rng.normal(-2.0, 1.0, 200), 3)
    bands = np.full((240, frames), -9.0, np.float16)
    bands[160:] = loudness
    head = TeacherSourceFilterHead(VoiceConfig())
    noise = torch.from_numpy(rng.standard_normal((1, frames * 160), np.float32))
    with torch.no_grad():
        wanted = (
            head(torch.from_numpy(bands)[None], torch.zeros(1, frames), noise).flatten().numpy()
        )
    changing = replace(example(frames), f0=np.zeros(frames, np.float32), bands=bands)
    net = student(replace(TINY, synthesis_window=window)).eval()
    f0, voiced, targets = targets_for(net, changing)
    assert targets is not None
    prediction = Prediction(
        torch.zeros(1, TINY.outputs, 1, frames), torch.from_numpy(targets.astype(np.float32))[None],
        voicing=torch.zeros(1, 1, 1, frames),
    )  # fmt: skip
    source = (torch.from_numpy(each)[None, None, None] for each in (f0, voiced))
    with torch.no_grad():
        sound = net.synthesize(prediction, *source).flatten().numpy()[net.delay :]
    mine, theirs = (_level(audio[: frames * 160 - 1000]) for audio in (sound, wanted))
    lags = range(-400, 401, 20)
    alike = [np.corrcoef(mine[1000 + lag :][:90_000], theirs[1000:][:90_000])[0, 1] for lag in lags]
    assert abs(lags[int(np.argmax(alike))]) <= 20  # samples; a hop is 160


def _level(audio: np.ndarray) -> np.ndarray:
    return np.log(np.convolve(np.square(audio), np.ones(80) / 80, "same") + 1e-9)


def test_between_frames_of_which_one_counts_that_one_is_taken() -> None:
    values = np.array([[1.0, 3.0, 5.0, 7.0]], np.float32)
    assert between(values, 0.5).tolist() == [[1.0, 2.0, 4.0, 6.0]]
    assert between(values, 1.0).tolist() == [[1.0, 1.0, 3.0, 5.0]]
    counts = np.array([False, False, True, True])
    assert between(values, 0.5, counts).tolist() == [[1.0, 2.0, 5.0, 6.0]]


def test_pitch_is_learnt_alone() -> None:
    net = student()
    batches = DistillBatches(net, [example(seed=1)], 60)
    batch = batches.draw(4, np.random.default_rng(0))
    assert net.pitch is not None
    before = float(pitch_error(net.pitch(batch.features), batch).detach())
    after = train_pitch(net, batches, 60, batch=4)
    assert after < 0.5 * before
    assert after == train_pitch(student(), batches, 60, batch=4)


def test_a_plain_head_has_no_pitch_to_learn() -> None:
    net = student(replace(TINY, head="istft"))
    assert train_pitch(net, DistillBatches(net, [example()], 60), 5) == 0.0


def test_some_recordings_follow_a_loud_event() -> None:
    steady = example(1100, seed=2)
    syllables = np.sin(np.pi * 4 * np.arange(len(steady.source)) / 16000) ** 2 + 0.001
    spoken = replace(steady, source=(steady.source * syllables).astype(np.int16))
    batches = DistillBatches(student(), [spoken] * LOUD_EVERY, 100)
    usual, loud = batches._examples[0], batches._examples[-1]
    for name in ("f0", "voiced", "audio"):
        np.testing.assert_array_equal(getattr(loud, name), getattr(usual, name))
    apart = np.abs(loud.features.plain.astype(np.float32) - usual.features.plain).mean(axis=0)
    assert apart[:20].mean() > 0.3
    assert apart[-100:].mean() < apart[:20].mean() / 3
