from __future__ import annotations

import pytest
import torch

from edge_vc.training.discriminators import (
    Discriminators,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from edge_vc.training.losses import SpectralLoss, convergence, log_distance, magnitudes


def tone(hz: float, level: float = 0.3) -> torch.Tensor:
    return level * torch.sin(2 * torch.pi * hz * torch.arange(8000) / 16000)[None]


def test_equal_signals_cost_nothing() -> None:
    assert float(SpectralLoss()(tone(440), tone(440))) == 0.0


def test_loss_grows_with_the_difference_and_ignores_the_sign() -> None:
    loss = SpectralLoss()
    near, far = float(loss(tone(440, 0.27), tone(440))), float(loss(tone(880), tone(440)))
    assert 0 < near < far
    # The DC bin's own sign is all that a magnitude forgets.
    assert float(loss(-tone(440), tone(440))) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(("stft", "mel"), [(1.0, 0.0), (0.0, 1.0)])
def test_each_term_can_be_switched_off(stft: float, mel: float) -> None:
    both = SpectralLoss(stft_weight=1.0, mel_weight=1.0)(tone(880), tone(440))
    one = SpectralLoss(stft_weight=stft, mel_weight=mel)(tone(880), tone(440))
    other = SpectralLoss(stft_weight=1 - stft, mel_weight=1 - mel)(tone(880), tone(440))
    torch.testing.assert_close(both, one + other)


def test_halved_magnitudes_are_ln_two_apart() -> None:
    whole = torch.full((1, 5, 7), 10.0)
    assert float(log_distance(whole / 2, whole)) == pytest.approx(0.6931, abs=1e-3)
    assert float(convergence(whole / 2, whole)) == pytest.approx(0.5)


def test_magnitudes_find_the_tone() -> None:
    spectrum = magnitudes(tone(1000), 512)[0].mean(1)
    assert int(spectrum.argmax()) == round(1000 / (16000 / 512))


@pytest.mark.parametrize(
    ("windows", "periods"), [((256, 512), ()), ((), (2, 5))], ids=["spectra", "periods"]
)
def test_discriminators_learn_to_tell_tones_from_noise(
    windows: tuple[int, ...], periods: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    networks = Discriminators(windows, 4, periods, 4)
    optimiser = torch.optim.Adam(networks.parameters(), 1e-2)
    real, fake = tone(440).repeat(2, 1), 0.2 * torch.randn(2, 8000)
    first = float(discriminator_loss(networks(real), networks(fake)).detach())
    for _ in range(15):
        optimiser.zero_grad()
        loss = discriminator_loss(networks(real), networks(fake))
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.5 * first
    with torch.no_grad():
        assert float(generator_loss(networks(fake))) > float(generator_loss(networks(real)))
        assert float(feature_matching_loss(networks(real), networks(real))) == 0.0
