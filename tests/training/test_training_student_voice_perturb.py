"""InputAugmentation of a student's recordings in other voices: the same words, another pitch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edge_vc.audio.pitch import track_pitch
from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.distill import DistillStage
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.settings.field import RecipeError
from edge_vc.training.student.batches import DistillBatches
from edge_vc.training.student.inputs.voice_perturb import VoicePerturbation, VoicePerturbSettings


def vowel(hertz: float, rate: int) -> np.ndarray:
    time = np.arange(2 * rate + 7) / rate
    wave = np.zeros(len(time))
    for k in range(1, int(7000 / hertz)):
        gain = sum(np.exp(-(((k * hertz - f) / 200) ** 2)) for f in (700.0, 1800.0)) + 0.01
        wave += gain * np.cos(2 * np.pi * k * hertz * time)
    return (0.1 * wave).astype(np.float32)


@pytest.mark.parametrize("rate", [16000, 22050, 48000])
def test_a_copy_is_as_long_and_in_another_voice(rate: int) -> None:
    settings = VoicePerturbSettings(share=1.0, copies=3, lowest_hz=200.0, highest_hz=210.0)
    source = vowel(110.0, rate)
    copies = VoicePerturbation(settings, rate).copies(source, 4)
    assert len(copies) == 3
    for copy in copies:
        assert copy.shape == source.shape
        assert copy.dtype == np.float32
        pitch = track_pitch(copy, rate, rate // 100)
        assert 195 < pitch.median < 215
        assert np.abs(copy).max() <= 1
    assert not np.allclose(copies[0], copies[1], atol=0.01)
    again = VoicePerturbation(settings, rate).copies(source, 4)
    assert all(np.array_equal(a, b) for a, b in zip(copies, again, strict=True))


def test_silence_and_noise_have_copies_too() -> None:
    augmentation = VoicePerturbation(VoicePerturbSettings(share=1.0), 16000)
    noise = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    for source in (np.zeros(8000, np.float32), noise, noise[:100]):
        for copy in augmentation.copies(source, 0):
            assert copy.shape == source.shape
            assert np.isfinite(copy).all()


def test_the_target_is_that_of_the_recording() -> None:
    torch.manual_seed(0)
    student = Student(StudentConfig(channels=16, hidden=(16,), dilations=(1,), outputs=16))
    source = (vowel(110.0, 16000)[:32000] * 32767).astype(np.int16)
    f0 = np.full(200, 155, np.float32)
    example = LabelledAudio(source, source, f0, np.zeros((0, 200), np.float16))
    drawn = []
    for share in (0.0, 1.0):
        settings = VoicePerturbSettings(share=share, lowest_hz=250.0)
        augmentations = [VoicePerturbation(settings, 16000)]
        batches = DistillBatches(student, [example], 40, augmentations=augmentations)
        drawn.append(batches.draw(4, np.random.default_rng(1)))
    plain, perturbed = drawn
    assert torch.equal(plain.f0, torch.full_like(plain.f0, 155))
    assert torch.equal(perturbed.f0, torch.full_like(plain.f0, 155))
    assert not torch.allclose(plain.features, perturbed.features, atol=0.3)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (
            "[voice_perturb]\nlowest_hz = 200\nhighest_hz = 100",
            "voice_perturb.lowest_hz = 200: is above",
        ),
        (
            "[voice_perturb]\nshare = 2",
            "voice_perturb.share = 2.0: outside the allowed range 0 to 1",
        ),
        (
            "[voice_perturb]\nshare = 0.6\n[noise]\nshare = 0.6",
            "are 1.2 together, must be at most 1",
        ),
    ],
)
def test_bad_shares_and_ranges_are_one_line(text: str, fact: str) -> None:
    with pytest.raises(RecipeError) as caught:
        DistillStage(Recipe.from_toml(text)).check_ready()
    assert fact in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_without_copies_goes_on() -> None:
    plain = Recipe.from_toml("[voice_perturb]\nshare = 0")
    assert set(DistillStage(plain).resolved()) == {"distill"}
    resolved = DistillStage(Recipe.from_toml("[voice_perturb]\nshare = 0.5")).resolved()
    assert resolved["voice_perturb"]["share"] == 0.5
