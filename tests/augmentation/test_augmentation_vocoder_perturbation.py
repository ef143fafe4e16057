from __future__ import annotations

import numpy as np
import pytest
import torch

from edge_vc.audio.pitch import track_pitch
from edge_vc.augmentation.vocoder_perturbation import VoiceParameters, perturb_voices


def vowel(hertz: float = 150.0, formants: tuple[float, ...] = (700.0, 1800.0)) -> np.ndarray:
    time = np.arange(16000) / 16000
    wave = np.zeros(16000)
    for k in range(1, int(8000 / hertz)):
        gain = sum(np.exp(-(((k * hertz - f) / 200) ** 2)) for f in formants) + 0.01
        wave += gain * np.cos(2 * np.pi * k * hertz * time)
    return (0.1 * wave).astype(np.float32)


@pytest.mark.parametrize(("hertz", "warp"), [(100.0, 0.8), (150.0, 1.0), (240.0, 1.2)])
def test_the_vocoder_moves_pitch_and_formants(hertz: float, warp: float) -> None:
    audio = torch.from_numpy(vowel())[None]
    f0 = torch.full((1, 100), 150.0)
    voice = VoiceParameters(*(torch.tensor([x]) for x in (hertz, 1.0, warp, 9000.0)))
    made = perturb_voices(
        audio, f0, torch.tensor([150.0]).log(), voice, torch.randn(1, 16000), 16000
    )
    assert made.shape == audio.shape
    pitch = track_pitch(made[0].numpy(), 16000, 80).f0
    assert np.median(pitch[pitch > 0]) == pytest.approx(hertz, rel=0.02)
    assert float(made.square().mean()) == pytest.approx(float(audio.square().mean()), rel=0.4)
    spectrum = np.abs(np.fft.rfft(made[0].numpy()[4000:12000]))
    smooth = np.convolve(spectrum, np.ones(150), "same")
    first = np.argmax(smooth[150:600]) + 150
    assert first * 2 == pytest.approx(700 * warp, rel=0.15)
