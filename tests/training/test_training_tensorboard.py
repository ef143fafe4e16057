from __future__ import annotations

import builtins
import importlib.util
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from voices import voice

from edge_vc.training.tensorboard import NoBoard, TensorBoardError, TensorBoardFolder, open_board
from edge_vc.training.voice.validation import draw_spectrogram


def test_figures_and_samples_are_in_the_event_file(tmp_path: Path) -> None:
    if importlib.util.find_spec("tensorboard") is None:
        pytest.skip("TensorBoard is not installed: pip install 'edge-vc[tensorboard]'")
    audio = tmp_path / "step-1.wav"
    soundfile.write(audio, voice(1.0), 16_000)
    draw_spectrogram(voice(1.0), audio.with_suffix(".png"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside TensorBoard
        board = open_board(tmp_path / "board")
        board.figures(1, {"loss": 2.5})
        board.sample(1, audio)
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        found = EventAccumulator(str(tmp_path / "board")).Reload()
    assert [(one.step, one.value) for one in found.Scalars("loss")] == [(1, 2.5)]
    assert found.Audio("sample")[0].sample_rate == 16_000
    assert found.Images("spectrogram")[0].width == 1200


def test_without_a_folder_nothing_is_shown(tmp_path: Path) -> None:
    board = open_board(None)
    assert isinstance(board, NoBoard)
    board.figures(1, {"loss": float(np.float32(1))})
    board.sample(1, tmp_path / "none.wav")
    assert not list(tmp_path.iterdir())


def test_a_missing_tensorboard_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError(name)
        return found(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(TensorBoardError, match=r"pip install 'edge-vc\[tensorboard\]'"):
        TensorBoardFolder(tmp_path)
