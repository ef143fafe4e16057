"""Flat tops are found at any level; clean speech has next to none."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc.audio.clipping import clipped, clipped_share


@pytest.mark.parametrize("turned_down", [1.0, 0.3], ids=["full scale", "turned down later"])
@pytest.mark.parametrize("drive", [2.0, 5.0])
def test_clipped_speech_is_found(arctic: np.ndarray, drive: float, turned_down: float) -> None:
    loud = arctic / np.abs(arctic).max() * drive
    share = clipped_share(np.clip(loud, -1, 1) * np.float32(turned_down))
    assert share > 0.002
    assert share == pytest.approx((np.abs(loud) >= 1).mean(), rel=0.4)


@pytest.mark.parametrize("bits", [8, 16])
def test_clean_speech_is_not(arctic: np.ndarray, bits: int) -> None:
    loud = arctic / np.abs(arctic).max()
    assert clipped_share(np.round(loud * 2 ** (bits - 1)) / 2 ** (bits - 1)) < 0.0005


def test_one_channel_is_enough(arctic: np.ndarray) -> None:
    loud = np.clip(arctic / np.abs(arctic).max() * 4, -1, 1)
    both = np.stack([arctic, loud], axis=1)
    assert clipped(both).mean() == pytest.approx(clipped_share(loud))


@pytest.mark.parametrize("length", [0, 1, 2, 1000])
def test_silence_is_not_clipped(length: int) -> None:
    assert clipped_share(np.zeros(length, np.float32)) == 0.0


@pytest.mark.parametrize(("length", "expected"), [(1, 0), (2, 0), (3, 3), (7, 7)])
def test_a_flat_top_has_three_samples(length: int, expected: int) -> None:
    samples = np.full(100, 0.1, np.float32)
    samples[40 : 40 + length] = 0.8
    found = np.flatnonzero(clipped(samples[:, None]))
    assert found.tolist() == list(range(40, 40 + expected))
