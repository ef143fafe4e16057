"""Blocks resampled by one product equal the polyphase resampler's samples, later by its delay."""

from __future__ import annotations

import numpy as np
import pytest

from edge_vc_runtime.audio.block_resampler import BlockResampler, streaming_resampler
from edge_vc_runtime.audio.drifting_resampler import DriftingResampler
from edge_vc_runtime.audio.polyphase import PolyphaseResampler

RATES = [(48000, 16000, 480), (16000, 48000, 160), (44100, 16000, 441), (16000, 44100, 320)]


@pytest.mark.parametrize(("from_rate", "to_rate", "block"), [*RATES, (8000, 24000, 40)])
@pytest.mark.parametrize("together", [1, 2])
def test_equals_the_polyphase_resampler(
    from_rate: int, to_rate: int, block: int, together: int
) -> None:
    audio = np.random.default_rng(0).standard_normal(20 * block).astype(np.float32)
    blocks, samples = (
        BlockResampler(from_rate, to_rate, block),
        PolyphaseResampler(from_rate, to_rate),
    )
    made = np.concatenate([blocks.push(p).copy() for p in audio.reshape(20 // together, -1)])
    expected = samples.push(audio)
    assert made.size == 20 * block * to_rate // from_rate
    # Both have the same filters; the delay is a whole number of output samples where one input
    # period is: else the phases differ, and a sine tells.
    late = blocks.delay_ms * to_rate / 1000
    if late == int(late):
        np.testing.assert_allclose(
            made[int(late) :][: expected.size], expected[: made.size - int(late)], atol=2e-6
        )


@pytest.mark.parametrize(("from_rate", "to_rate", "block"), RATES)
def test_a_sine_comes_out_late_by_the_stated_delay(
    from_rate: int, to_rate: int, block: int
) -> None:
    resampler = BlockResampler(from_rate, to_rate, block)
    time = np.arange(30 * block) / from_rate
    sine = np.sin(2 * np.pi * 1234 * time).astype(np.float32).reshape(30, block)
    made = np.concatenate([resampler.push(piece).copy() for piece in sine])
    moments = np.arange(made.size) / to_rate - resampler.delay_ms / 1000
    settled = slice(made.size // 3, None)
    expected = np.sin(2 * np.pi * 1234 * moments)
    assert np.abs(made - expected)[settled].max() < 2e-3


def test_the_cheapest_one_is_taken() -> None:
    assert isinstance(streaming_resampler(48000, 16000, 480), BlockResampler)
    assert isinstance(streaming_resampler(16000, 16000, 160), PolyphaseResampler)
    assert isinstance(streaming_resampler(22050, 16000, 221), PolyphaseResampler)
    assert isinstance(streaming_resampler(16000, 96000, 4410), PolyphaseResampler | BlockResampler)


def test_a_block_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        BlockResampler(44100, 16000, 480)


@pytest.mark.parametrize(("from_rate", "to_rate", "block"), [*RATES, (16000, 16000, 160)])
@pytest.mark.parametrize("ppm", [200.0, -200.0])
def test_a_corrected_ratio_gives_more_samples_and_the_same_sound(
    from_rate: int, to_rate: int, block: int, ppm: float
) -> None:
    resampler = DriftingResampler(from_rate, to_rate, block)
    resampler.set_ppm(ppm)
    blocks = 8 * from_rate // block
    time = np.arange(blocks * block) / from_rate
    sine = np.sin(2 * np.pi * 1000 * time).astype(np.float32).reshape(blocks, block)
    pieces = [resampler.push(piece).copy() for piece in sine]
    made = np.concatenate(pieces)
    plain = blocks * block * to_rate / from_rate
    assert made.size == pytest.approx(plain * (1 + ppm * 1e-6), abs=1.5)
    # Nothing but the sine: a seam, or a wrong phase, would be heard as a click.
    late = resampler.delay_ms / 1000
    moments = np.concatenate(
        [
            n * block / from_rate + np.arange(p.size) * block / from_rate / p.size
            for n, p in enumerate(pieces)
        ]
    )
    error = made - np.sin(2 * np.pi * 1000 * (moments - late))
    assert np.abs(error[1000:]).max() < 2e-3


def test_without_a_correction_it_is_the_block_resampler() -> None:
    audio = np.random.default_rng(0).standard_normal((20, 160)).astype(np.float32)
    drifting, plain = DriftingResampler(16000, 48000, 160), BlockResampler(16000, 48000, 160)
    for block in audio:
        np.testing.assert_array_equal(drifting.push(block), plain.push(block))
    assert drifting.push(audio[:0].reshape(-1)).size == 0
    two = drifting.push(audio[:2].reshape(-1)).copy()
    np.testing.assert_array_equal(two, plain.push(audio[:2].reshape(-1)))
