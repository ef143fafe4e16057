"""Each part of the feature augmentation does what its setting says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edge_vc.augmentation.feature_augment import FeatureAugment
from edge_vc.models.student.config import StudentConfig

CONFIG = StudentConfig()


def draw(features: torch.Tensor, augment: FeatureAugment, seed: int = 0) -> torch.Tensor:
    return augment(features, CONFIG, np.random.default_rng(seed))


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_the_expander_moves_what_is_soft(ratio: float) -> None:
    features = torch.linspace(-3.5, 3.0, 40).expand(2, CONFIG.mels, 1, 40)
    found = draw(features, FeatureAugment(0.0, 0.0, (ratio, ratio), threshold=-2.0))
    soft = -2.0 + ratio * (features + 2.0)
    expected = torch.where(features < -2.0, soft, features).clamp_min(CONFIG.input_floor)
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, features)


def test_the_warp_moves_bands_up_and_down() -> None:
    middle = CONFIG.mels // 2
    features = torch.zeros(40, CONFIG.mels, 1, 3)
    features[:, middle - 1 : middle + 2] = 5.0
    found = draw(features, FeatureAugment(0.2, 0.0, (1.0, 1.0)))
    peaks = found[:, :, 0, 0].argmax(1)
    assert int(peaks.min()) < middle - 1
    assert int(peaks.max()) > middle + 1
    calm = draw(features, FeatureAugment(0.0, 0.0, (1.0, 1.0)))
    torch.testing.assert_close(calm, features)


def test_nothing_is_below_the_floor() -> None:
    features = torch.full((4, CONFIG.mels, 1, 5), CONFIG.input_floor)
    found = draw(features, FeatureAugment(0.0, 1.0, (1.0, 1.0)))
    assert float(found.min()) == pytest.approx(CONFIG.input_floor)
    assert float(found.max()) > CONFIG.input_floor
