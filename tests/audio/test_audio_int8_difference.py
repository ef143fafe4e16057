"""INT8 against float: one definition, which compression and export report alike."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest

from edge_vc.audio.distance import log_spectral_distance
from edge_vc.audio.int8_difference import Int8Difference, Rendering, int8_difference

RATE, HOP = 1_600, 16
EDGE = 1_000
"""Ten seconds of frames."""


@pytest.fixture
def reference() -> Rendering:
    rng = np.random.default_rng(0)
    return Rendering(rng.standard_normal(30 * RATE), rng.standard_normal((1, 4, 1, 3 * EDGE)))


def test_the_fields_are_the_keys_of_the_metrics() -> None:
    found = asdict(Int8Difference(1.0, 3.0, 2.5, 0.5))

    assert list(found) == ["trunk_snr_db", "snr_first_db", "snr_last_db", "lsd_db"]


def test_each_part_of_the_trunk_is_measured_over_its_own_frames(reference: Rendering) -> None:
    scale = np.repeat([0.01, 0.1, 0.001], EDGE)
    quantized = replace(reference, trunk=reference.trunk * (1 + scale))

    found = int8_difference(reference, quantized, sample_rate=RATE, hop=HOP)

    assert found.snr_first_db == pytest.approx(40.0)
    assert found.snr_last_db == pytest.approx(60.0)
    assert found.drift_db == pytest.approx(-20.0)
    expected = -10 * np.log10(np.square(scale).mean())
    assert found.trunk_snr_db == pytest.approx(expected, abs=0.3)
    assert found.lsd_db == 0


def test_the_waveforms_are_compared_at_their_rate(reference: Rendering) -> None:
    quantized = replace(reference, waveform=0.5 * reference.waveform)

    found = int8_difference(reference, quantized, sample_rate=RATE, hop=HOP)

    assert found.trunk_snr_db == 200
    assert found.lsd_db == log_spectral_distance(reference.waveform, quantized.waveform, RATE)
    assert found.lsd_db == pytest.approx(6.02, abs=0.1)


def test_a_short_signal_is_its_own_beginning_and_end(reference: Rendering) -> None:
    short = Rendering(reference.waveform[: 5 * RATE], reference.trunk[..., :500])
    quantized = replace(short, trunk=short.trunk * np.linspace(1.0, 1.1, 500))

    found = int8_difference(short, quantized, sample_rate=RATE, hop=HOP)

    assert found.snr_first_db == found.snr_last_db == found.trunk_snr_db
    assert found.drift_db == 0


def test_outputs_of_other_shapes_are_refused(reference: Rendering) -> None:
    other = replace(reference, trunk=reference.trunk[..., 1:])

    with pytest.raises(ValueError, match="align and cut them first"):
        int8_difference(reference, other, sample_rate=RATE, hop=HOP)
