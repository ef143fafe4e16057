"""What a slip of the F0 costs: the waveform moves, the sound stays.

Two engines on one machine, or one engine on two machines, round a float differently in its last
bit. Where an F0 lies between two steps of its grid that turns one step, and the pulses of the voice
stay up to a hundredth of a period apart from then on.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shipped_models import FLOAT_BUNDLES

from edge_vc.assets import bundle_path
from edge_vc.audio.distance import log_spectral_distance, snr_db
from edge_vc.audio.level import active_level_db
from edge_vc.nn.harmonic import GRID
from edge_vc_export.parity.cross_format import check_cross_format
from edge_vc_export.parity.lockstep import PHASE
from edge_vc_export.parity.open_stream import open_stream
from edge_vc_export.parity.speech import example_speech
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.validation.speech_figures import LARGEST_DISTANCE_DB, LARGEST_LEVEL_DB

RATE = 16000
SLIP = 30
"""Hop of the slip; three hops later nothing but the pulses' places differs."""


@pytest.fixture(scope="module")
def recorded() -> np.ndarray:
    """Speech as 16-bit samples hold it, on which the float files of `kathleen-nano` slip."""
    speech = np.round(example_speech(6.0, RATE) * 32767) / 32768
    return speech.astype(np.float32)


@pytest.mark.parametrize("name", FLOAT_BUNDLES)
def test_a_slip_moves_the_pulses_and_is_not_heard(
    name: str, recorded: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "fp32.onnx").write_bytes(read_bundle(bundle_path(name)).read("model.fp32.onnx"))
    plain, slipped = (open_stream(tmp_path / "fp32.onnx") for _ in range(2))
    hop = plain.metadata.hop
    made: list[list[np.ndarray]] = [[], []]
    for index, block in enumerate(recorded[: 3 * RATE].reshape(-1, hop)):
        for stream, rows in zip((plain, slipped), made, strict=True):
            rows.append(stream.step(block)[0].copy())
        if index == SLIP:  # as if the F0 of one hop had been rounded to the other step
            slipped.set_state(PHASE, (slipped.state(PHASE) + np.float32(hop / GRID)) % 1)
    before, after = (np.concatenate(each[: SLIP + 1]) for each in made)
    np.testing.assert_array_equal(before, after)
    one, other = (np.concatenate(each[SLIP + 4 :]) for each in made)
    assert 10 < snr_db(one, other) < 25
    assert log_spectral_distance(one, other, RATE) < LARGEST_DISTANCE_DB
    level = active_level_db(one, RATE) - active_level_db(other, RATE)
    assert abs(level) < LARGEST_LEVEL_DB / 10


def test_besides_slips_the_formats_compute_the_same(recorded: np.ndarray, tmp_path: Path) -> None:
    bundle = read_bundle(bundle_path("kathleen-nano"))
    files = [tmp_path / "fp32.onnx", tmp_path / "fp32.tflite"]
    for file in files:
        file.write_bytes(bundle.read(f"model.{file.name}"))
    parity = check_cross_format(*files, recorded)
    assert parity.pitch_slips <= 1
    assert parity.difference < 1e-5
    assert parity.trunk_snr_db > 100
