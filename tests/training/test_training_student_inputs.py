"""What a student hears is what its front end makes of each recording alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.training.student.batches import DistillBatches
from edge_vc.training.student.distiller import BEGINNING_EVERY, WARM_SECONDS, Distillation
from edge_vc.training.student.inputs.input_features import (
    BATCH,
    LOUD_EVERY,
    InputFeatures,
    extract_features,
)
from edge_vc.training.student.inputs.noise import NoiseAugmentation, NoiseSettings
from edge_vc.training.student.inputs.voice_perturb import VoicePerturbation, VoicePerturbSettings
from edge_vc.training.student.settings import DistillSettings

TINY = StudentConfig(channels=16, hidden=(16, 16), dilations=(1, 2), outputs=16)


def recording(frames: int, seed: int) -> LabelledAudio:
    rng = np.random.default_rng(seed)
    source = (rng.normal(0, 2_000, frames * TINY.hop) * rng.uniform(0.1, 1)).astype(np.int16)
    flat = np.zeros(frames, np.float32)
    return LabelledAudio(source, source, flat, np.zeros((0, 0, 0), np.float16))


def test_recordings_do_not_hear_each_other() -> None:
    student = Student(TINY).eval()
    many = {n: recording(30 + 7 * (n % 5), n) for n in range(BATCH + 3)}
    heard = extract_features(student, many)
    assert list(heard) == sorted(many, key=lambda index: len(many[index].source))
    assert not any(each.copies for each in heard.values())
    for index, example in many.items():
        alone = extract_features(student, {index: example})[index].plain
        assert heard[index].plain.shape == (TINY.mels, len(example.f0))
        np.testing.assert_allclose(heard[index].plain, alone, atol=0.02)
        audio = torch.from_numpy(example.source.astype(np.float32) / 32767)[None, None, None]
        fresh = student.frontend(audio)[0, :, 0].detach().numpy()
        after_something = bool((index + 1) % LOUD_EVERY == 0)
        assert np.allclose(alone, fresh, atol=0.02) != after_something


def test_copies_stay_with_their_recording() -> None:
    student = Student(TINY).eval()
    many = {n: recording(120 + n, n) for n in range(4)}
    noise = NoiseAugmentation(NoiseSettings(share=0.5, copies=2), list(many.values()))
    perturbed = VoicePerturbation(VoicePerturbSettings(share=0.5, copies=1), TINY.sample_rate)
    for index, found in extract_features(student, many, [noise, perturbed]).items():
        assert [len(kind) for kind in found.copies] == [2, 1]
        for columns in (found.plain, *found.copies[0], *found.copies[1]):
            assert columns.shape == (TINY.mels, len(many[index].f0))
            assert columns is found.plain or not np.allclose(columns, found.plain, atol=0.1)


def test_copies_are_heard_as_often_as_their_shares_say() -> None:
    plain, noisy, perturbed = (np.full((1, 1), number, np.float16) for number in range(3))
    heard, rng = InputFeatures(plain, ((noisy,), (perturbed,))), np.random.default_rng(0)
    drawn = [int(heard.draw([0.5, 0.2], rng)[0, 0]) for _ in range(2000)]
    assert np.bincount(drawn) / 2000 == pytest.approx([0.3, 0.5, 0.2], abs=0.04)
    assert {int(heard.draw([0.0, 0.0], rng)[0, 0]) for _ in range(50)} == {0}


def test_beginnings_are_where_streams_begin_and_count_from_the_first_frame() -> None:
    student = Student(TINY).eval()
    examples = [recording(120 + n, n) for n in range(3)]
    batches = DistillBatches(student, examples, 60, warm=40)
    cropped = batches.draw(4, np.random.default_rng(0))
    first = batches.draw(4, np.random.default_rng(0), beginnings=True)
    assert (cropped.warm, first.warm) == (40, 0)
    assert first.share(0, 2, torch.device("cpu")).warm == 0
    starts = [
        extract_features(student, {n: each.excerpt(frame, frame + 60)}, loud_every=0)[n].plain
        for n, each in enumerate(examples)
        for frame in range(len(each.f0) - 60 + 1)
    ]
    recorded = extract_features(student, dict(enumerate(examples)))
    starts += [each.plain[:, :60] for each in recorded.values()]
    for row in first.features[:, :, 0].numpy():
        assert any(np.allclose(row, start, atol=0.02) for start in starts)
    assert not torch.equal(cropped.features, first.features)


def test_half_of_the_beginnings_are_amid_speech() -> None:
    student = Student(TINY).eval()
    quiet, spoken = recording(100, 0), recording(100, 1)
    both = LabelledAudio(
        np.concatenate([quiet.source // 100, spoken.source]),
        np.concatenate([quiet.target, spoken.target]),
        np.arange(200, dtype=np.float32) + 100,
        np.zeros((0, 200), np.float16),
    )
    batches = DistillBatches(student, [both], 60, warm=20)
    batch = batches.draw(40, np.random.default_rng(0), beginnings=True)
    first = batch.f0[:, 0, 0, 0].numpy()
    assert set(first[first < 200]) == {100.0}
    assert 0.3 < np.mean(first >= 200) < 0.7
    place = int(first.max()) - 100
    target = both.target[place * TINY.hop : (place + 60) * TINY.hop] / 32767
    delayed = np.pad(target, (student.delay, 0))[: len(target)]
    heard = batch.audio[int(first.argmax())].numpy()
    np.testing.assert_allclose(heard, delayed, atol=1e-6)


def test_an_excerpt_of_labels_is_what_they_say_of_that_time() -> None:
    rng = np.random.default_rng(0)
    whole = LabelledAudio(
        rng.integers(-9, 9, 10 * TINY.hop).astype(np.int16),
        rng.integers(-9, 9, 10 * TINY.hop).astype(np.int16),
        np.arange(10, dtype=np.float32),
        rng.normal(size=(6, 10)).astype(np.float16),
        rng.normal(size=(3, 10)).astype(np.float16),
    )
    some = whole.excerpt(3, 7)
    assert some.hop == TINY.hop
    assert some.f0.tolist() == [3, 4, 5, 6]
    np.testing.assert_array_equal(some.source, whole.source[3 * TINY.hop : 7 * TINY.hop])
    np.testing.assert_array_equal(some.target, whole.target[3 * TINY.hop : 7 * TINY.hop])
    np.testing.assert_array_equal(some.bands, whole.bands[:, 3:7])
    np.testing.assert_array_equal(some.contents, whole.contents[:, 3:7])
    assert len(whole.excerpt(0, 0).f0) == 0


def test_some_batches_of_a_training_are_beginnings(tmp_path: Path) -> None:
    settings = DistillSettings(steps=2 * BEGINNING_EVERY, batch=2, segment_seconds=0.5)
    examples = [recording(150, n) for n in range(3)]
    training = Distillation(Student(TINY), examples, settings, tmp_path / "run")
    warm = []
    step = training._train_step
    training._train_step = lambda batch, progress: warm.append(batch.warm) or step(batch, progress)  # type: ignore[method-assign,func-returns-value]
    training.run()
    assert warm.count(0) == 2
    assert set(warm) == {0, round(WARM_SECONDS * TINY.frame_rate)}
