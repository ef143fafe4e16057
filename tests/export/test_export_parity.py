from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from export_toys import FACTS, RATE, Toy, quantized_toy, toy

from edge_vc_export.errors import ParityError
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.parity.fp32 import check_fp32
from edge_vc_export.parity.int8 import Int8Limits, check_int8
from edge_vc_export.parity.speech import example_speech

LOOSE = Int8Limits(least_snr_db=0.0, largest_distance_db=60.0, largest_drift_db=60.0)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return example_speech(3.0, RATE)


@pytest.fixture(scope="module")
def fp32(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parity") / "fp32.onnx"
    return export_onnx(toy(), path, precision="fp32", **FACTS)


@pytest.fixture(scope="module")
def int8(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parity") / "int8.onnx"
    return export_onnx(quantized_toy(), path, precision="int8", **FACTS)


def test_a_true_export_passes_with_its_figures(fp32: Path, speech: np.ndarray) -> None:
    parity = check_fp32(toy(), fp32, speech)

    assert 0 <= parity.offline < 1e-5
    assert 0 <= parity.streaming < 1e-5
    assert parity.seconds == pytest.approx(3.0, abs=0.01)


def test_one_changed_weight_is_found(fp32: Path, speech: np.ndarray) -> None:
    other = toy()
    with torch.no_grad():
        other.head.controls.weight[3, 2] += 1e-2

    with pytest.raises(ParityError, match=r"fp32.onnx: differs from PyTorch by \d\.\d+e-0"):
        check_fp32(other, fp32, speech)


class Forgetful(Toy):
    """Streams otherwise than it runs at once."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 0.5 * super().forward(x)


def test_streaming_and_offline_are_both_compared(fp32: Path, speech: np.ndarray) -> None:
    model = toy()
    model.__class__ = Forgetful

    with pytest.raises(ParityError, match=r"\(offline\) and \d\.\d+e-0[5-9] \(streaming\)"):
        check_fp32(model, fp32, speech)


def test_checking_leaves_the_model_in_its_mode(fp32: Path, speech: np.ndarray) -> None:
    model = toy().train()
    check_fp32(model, fp32, speech)
    assert model.training


def test_int8_figures_are_those_of_the_trunk_and_the_waveform(
    fp32: Path, int8: Path, speech: np.ndarray
) -> None:
    parity = check_int8(fp32, int8, speech, LOOSE)

    with torch.no_grad():
        audio = torch.from_numpy(speech[: len(speech) // 16 * 16]).reshape(1, 1, 1, -1)
        truth, guess = (m.trunk(m.frontend(audio)) for m in (toy(), quantized_toy()))
    expected = 10 * torch.log10(truth.square().sum() / (guess - truth).square().sum())
    assert parity.trunk_snr_db == pytest.approx(float(expected), abs=0.5)
    assert 0 < parity.lsd_db < 10
    assert abs(parity.drift_db) < 3


def test_a_graph_equals_itself(int8: Path, speech: np.ndarray) -> None:
    parity = check_int8(int8, int8, speech)

    assert parity.trunk_snr_db > 100
    assert parity.lsd_db == 0


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Int8Limits(least_snr_db=90.0), "trunk SNR is .* dB, allowed from 90"),
        (Int8Limits(largest_distance_db=1e-6), "log-spectral distance is .*, allowed up to 1e-06"),
        (Int8Limits(largest_drift_db=-60.0), "SNR falls from .* allowed by -60"),
    ],
    ids=["snr", "distance", "drift"],
)
def test_a_limit_that_is_not_kept_is_named(
    limits: Int8Limits, words: str, fp32: Path, int8: Path, speech: np.ndarray
) -> None:
    with pytest.raises(ParityError, match=words):
        check_int8(fp32, int8, speech, limits)


def test_silence_from_a_broken_graph_does_not_pass(
    fp32: Path, speech: np.ndarray, tmp_path: Path
) -> None:
    broken = copy.deepcopy(quantized_toy())
    with torch.no_grad():
        broken.head.controls.weight.fill_(float("nan"))
    path = export_onnx(broken, tmp_path / "nan.onnx", precision="int8", **FACTS)

    with pytest.raises(ParityError, match="log-spectral distance is nan"):
        check_int8(fp32, path, speech, LOOSE)


def test_example_speech_is_real_loud_enough_and_ends_as_it_begins() -> None:
    speech = example_speech(30.0, 16000)

    third = speech.shape[0] // 3
    assert speech.shape == (480_000,)
    assert speech.dtype == np.float32
    assert np.array_equal(speech[:third], speech[-third:])
    assert not np.array_equal(speech[:third], speech[third : 2 * third])
    assert 0.4 < np.abs(speech).max() <= 0.75
    assert np.array_equal(speech, example_speech(30.0, 16000))
