"""Which speech becomes the golden recording of a bundle with several formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge_vc_export.parity import golden

RATE = 16_000
LENGTH = round(golden.SECONDS * RATE)
ONNX, LITE = Path("model.onnx"), Path("model.tflite")


def played(slips: Callable[[np.ndarray], float]) -> Callable[[Path], SimpleNamespace]:
    """Return an `open_stream` whose TFLite output is off by ``slips`` of the piece."""

    def open_stream(path: Path) -> SimpleNamespace:
        def run(audio: np.ndarray) -> tuple[np.ndarray]:
            return (audio + (slips(audio) if path == LITE else 0.0),)

        return SimpleNamespace(metadata=SimpleNamespace(sample_rate=RATE, hop=160), run=run)

    return open_stream


@pytest.fixture
def speech() -> np.ndarray:
    return np.repeat(np.array([0.1, 0.2, 0.3], np.float32), LENGTH)


@pytest.mark.parametrize(
    ("slips", "taken"),
    [
        (lambda piece: 0.0, 0.1),
        (lambda piece: 0.1 if piece[0] < 0.15 else 0.0, 0.2),  # the first piece slips
        (lambda piece: 0.5 - float(piece[0]), 0.3),  # all do: the one that differs least
    ],
)
def test_the_piece_is_one_that_all_formats_agree_on(
    monkeypatch: pytest.MonkeyPatch,
    speech: np.ndarray,
    slips: Callable[[np.ndarray], float],
    taken: float,
) -> None:
    monkeypatch.setattr(golden, "open_stream", played(slips))
    piece = golden.agreeing_piece({"fp32": [ONNX, LITE]}, speech)
    assert len(piece) == LENGTH
    assert piece[0] == np.float32(taken)


def test_one_format_or_short_speech_is_taken_from_the_beginning(
    monkeypatch: pytest.MonkeyPatch, speech: np.ndarray
) -> None:
    monkeypatch.setattr(golden, "open_stream", played(lambda piece: 1.0))
    assert golden.agreeing_piece({"fp32": [ONNX]}, speech)[0] == np.float32(0.1)
    assert len(golden.agreeing_piece({"fp32": [ONNX, LITE]}, speech[:800])) == 800
