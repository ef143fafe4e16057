"""The background's level as one number does what the floor per band does."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc_runtime.chain.level_floor import LevelFloor
from edge_vc_runtime.chain.noise_floor import NoiseFloor


@pytest.mark.parametrize("interval_s", [0.005, 0.01, 0.032])
def test_it_is_the_floor_of_one_band(interval_s: float) -> None:
    rng = np.random.default_rng(3)
    level = np.repeat(10.0 ** rng.uniform(-9, -1, 40), 25)  # loud and quiet for 0.1 to 0.8 s each
    powers = (level * rng.exponential(1.0, level.shape[0])).astype(np.float32)
    one, bands = LevelFloor(interval_s), NoiseFloor(1, interval_s)
    for power in powers:
        expected = float(bands.update(np.array([power]))[0])
        assert one.update(float(power)) == pytest.approx(expected, rel=1e-4)


def test_reset_forgets() -> None:
    floor = LevelFloor(0.01)
    for power in (1e-8, 1e-9, 1e-7):
        floor.update(power)
    floor.reset()
    assert floor.update(0.5) == 0.5
