"""Noisy copies of a student's recordings: inputs, not targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from edge_vc.augmentation.acoustic_augment import AcousticAugment
from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.distill import DistillStage
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.settings.field import RecipeError
from edge_vc.training.student.batches import DistillBatches
from edge_vc.training.student.inputs.noise import NoiseAugmentation, NoiseSettings, noise_hash


def example(seed: int, frames: int = 160) -> LabelledAudio:
    rng = np.random.default_rng(seed)
    time = np.arange(frames * 160) / 16000
    source = 3000 * np.sin(2 * np.pi * 150 * time) * (np.sin(2 * np.pi * 3 * time) > 0)
    source = (source + 20 * rng.normal(size=len(time))).astype(np.int16)
    f0 = np.full(frames, 150, np.float32)
    return LabelledAudio(source, source, f0, np.zeros((0, frames), np.float16))


EXAMPLES = [example(seed) for seed in range(5)]
LOUD = NoiseSettings(share=1.0, copies=2, rooms=1.0, noises=1.0, events=1.0, highest_snr_db=10.0)


def batches(noise: NoiseSettings | None) -> DistillBatches:
    torch.manual_seed(0)
    config = StudentConfig(channels=16, hidden=(16,), dilations=(1,), outputs=16)
    augmentations = [NoiseAugmentation(noise, EXAMPLES)] if noise else []
    return DistillBatches(Student(config), EXAMPLES, 40, augmentations=augmentations)


def test_noise_is_heard_and_the_target_is_that_of_the_clean_recording() -> None:
    clean = batches(None).draw(16, np.random.default_rng(1))
    loud, none = (
        batches(settings).draw(16, np.random.default_rng(1))
        for settings in (LOUD, NoiseSettings(share=0.0))
    )
    assert torch.equal(none.features, clean.features)
    loudest = max(int(np.abs(each.target).max()) for each in EXAMPLES) / 32767
    assert loud.audio.abs().max() <= loudest + 1e-6
    # In the pauses of the tone, noise is what there is.
    assert loud.features.mean() > clean.features.mean() + 0.5
    assert torch.equal(loud.f0, torch.full_like(loud.f0, 150))


def test_a_share_of_the_segments_is_noisy() -> None:
    some = batches(NoiseSettings(share=0.5, noises=1.0, highest_snr_db=5.0))
    levels = some.draw(200, np.random.default_rng(0)).features.amin(dim=(1, 2, 3))
    noisy = float((levels > levels.median()).float().mean())
    assert levels.max() > levels.min() + 1
    assert 0.3 < noisy < 0.7


def test_copies_differ_and_are_the_same_every_time() -> None:
    made = [
        NoiseAugmentation(LOUD, EXAMPLES).copies(np.ones(8000, np.float32) / 20, 3)
        for _ in range(2)
    ]
    assert all(np.array_equal(a, b) for a, b in zip(*made, strict=True))
    assert not np.array_equal(made[0][0], made[0][1])
    assert max(np.abs(copy).max() for copy in made[0]) <= 1


def test_nothing_is_done_where_every_share_is_zero() -> None:
    quiet = AcousticAugment(room_share=0.0, noise_share=0.0, event_share=0.0)
    audio = np.linspace(-0.5, 0.5, 4000, dtype=np.float32)
    bank = NoiseBank.build([])
    assert np.array_equal(quiet.apply(audio, bank, np.random.default_rng(0)), audio)


def test_recorded_noises_count_by_content(tmp_path: Path) -> None:
    (tmp_path / "noise").mkdir()
    soundfile.write(tmp_path / "noise" / "hall.wav", np.full(16000, 0.1), 16000)
    settings = NoiseSettings(share=1.0, folder=str(tmp_path))
    first = noise_hash(settings)
    soundfile.write(tmp_path / "noise" / "hall.wav", np.full(16000, 0.2), 16000)
    assert first
    assert first != noise_hash(settings)
    assert noise_hash(NoiseSettings()) == ""


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('share = 0.5\nfolder = "/none"', "neither noise/ nor rir/"),
        ("lowest_snr_db = 20\nhighest_snr_db = 10", "noise.lowest_snr_db = 20: is above"),
        ("share = 2", "noise.share = 2.0: outside the allowed range 0 to 1"),
    ],
)
def test_bad_noise_is_one_line(text: str, fact: str) -> None:
    with pytest.raises(RecipeError) as caught:
        DistillStage(Recipe.from_toml(f"[noise]\n{text}")).check_ready()
    assert fact in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_without_noise_goes_on_and_another_share_trains_anew() -> None:
    resolved = [
        DistillStage(Recipe.from_toml(f"[noise]\nshare = {share}")).resolved()
        for share in (0.0, 0.5)
    ]
    assert set(resolved[0]) == {"distill"}
    assert resolved[1]["noise"]["share"] == 0.5
