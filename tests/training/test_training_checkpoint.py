"""Checkpoints are replaced as a whole and restore every part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import BinaryIO

import pytest
import torch
from torch import nn

from edge_vc.training.checkpoint import Checkpoint, CheckpointError


def test_every_part_comes_back(tmp_path: Path) -> None:
    stored, restored = nn.Linear(2, 3), nn.Linear(2, 3)
    Checkpoint(tmp_path, {"network": stored}).save(7, 1.5)
    assert Checkpoint(tmp_path, {"network": restored}).restore() == (7, 1.5)
    torch.testing.assert_close(restored.weight, stored.weight)


def test_a_run_without_a_checkpoint_starts_at_zero(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path, {"network": nn.Linear(2, 3)}).restore() == (0, 0.0)


def test_a_kill_while_saving_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = nn.Linear(2, 3)
    checkpoint = Checkpoint(tmp_path, {"network": network})
    checkpoint.save(1, 0.0)

    def killed(state: object, file: BinaryIO) -> None:
        file.write(b"half of a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(2, 0.0)
    assert checkpoint.restore() == (1, 0.0)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"network": nn.Linear(2, 4)}, "size mismatch|Error"),
        ({"network": nn.Linear(2, 3), "average": nn.Linear(2, 3)}, "average"),
    ],
    ids=["sizes", "parts"],
)
def test_a_checkpoint_of_another_training_is_named(
    tmp_path: Path, parts: dict[str, nn.Module], words: str
) -> None:
    Checkpoint(tmp_path, {"network": nn.Linear(2, 3)}).save(1, 0.0)
    with pytest.raises(CheckpointError, match=rf"checkpoint\.pt: .*({words}).*delete it") as caught:
        Checkpoint(tmp_path, parts).restore()
    assert "\n" not in str(caught.value)


def test_the_log_is_appended_line_by_line(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path, {})
    checkpoint.log(10, 90.0, {"loss": 1.23456})
    checkpoint.log(20, 180.0, {"loss": 1.0})
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows[0] == {"step": 10, "minutes": 1.5, "loss": 1.2346}
    assert [row["step"] for row in rows] == [10, 20]
