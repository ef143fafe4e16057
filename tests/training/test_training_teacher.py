from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from edge_vc.data.pairs import PairSet
from edge_vc.models.teacher import TeacherConfig
from edge_vc.training.schedule import Budget
from edge_vc.training.teacher import TeacherSettings, TeacherTraining, data_hash
from edge_vc.training.teacher_data import TeacherBatches, warp_matrix

TINY = replace(TeacherConfig(), channels=16, bottleneck=8, encoder_blocks=1, decoder_blocks=1)


def pair(speaker: str, seed: int, frames: int = 80) -> PairSet:
    rng = np.random.default_rng(seed)
    f0 = np.full(frames, 150.0, np.float32)
    f0[:10] = 0
    return PairSet(
        speaker,
        rng.integers(-3000, 3000, frames * 160).astype(np.int16),
        f0,
        rng.normal(0, 1, (2, 80, frames)).astype(np.float16),
    )


PAIRS = [*(pair("me", s) for s in range(18)), pair("you", 99)]


def settings(**changes: object) -> TeacherSettings:
    base = TeacherSettings(Budget(steps=4), batch=2, frames=32, bfloat16=False)
    return replace(base, **changes)  # type: ignore[arg-type]


def run(folder: Path, chosen: TeacherSettings) -> TeacherTraining:
    folder.mkdir(exist_ok=True)
    config = replace(TINY, speakers=2)
    training = TeacherTraining(chosen, config, PAIRS, ["me", "you"], folder)
    training.run()
    return training


@pytest.mark.parametrize("adversarial_from", [0.0, 1.0], ids=["adversarial", "spectral"])
def test_training_moves_the_weights_and_logs(tmp_path: Path, adversarial_from: float) -> None:
    training = run(tmp_path, settings(adversarial_from=adversarial_from))
    row = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert row["step"] == 4
    assert ("judge" in row) == (adversarial_from == 0.0)
    assert np.isfinite(row["validation"])
    torch.manual_seed(0)
    fresh = TeacherTraining(settings(), replace(TINY, speakers=2), PAIRS, ["me", "you"], tmp_path)
    assert not torch.equal(fresh.network.embed.weight, training.network.embed.weight)


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first = run(tmp_path, settings())
    second = run(tmp_path, settings())
    for a, b in zip(first.network.parameters(), second.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_crops_favour_the_target_and_come_from_everybody() -> None:
    batches = TeacherBatches(PAIRS, ["me", "you"], 32, share=0.5)
    voices = batches.draw(200, np.random.default_rng(0)).voice
    assert 60 < int((voices == 0).sum()) < 140


def test_crops_repeat_with_their_seed() -> None:
    batches = TeacherBatches(PAIRS, ["me", "you"], 32, share=0.5)
    one, two = (batches.draw(3, np.random.default_rng(5)) for _ in range(2))
    assert torch.equal(one.log_mel, two.log_mel)
    assert torch.equal(one.audio, two.audio)


def test_warp_moves_bands_and_one_keeps_them() -> None:
    np.testing.assert_allclose(warp_matrix(1.0, 80), np.eye(80), atol=1e-5)
    peak = np.zeros(80)
    peak[40] = 1.0
    assert int((warp_matrix(1.2, 80) @ peak).argmax()) > 40
    assert int((warp_matrix(0.8, 80) @ peak).argmax()) < 40


def test_data_hash_sees_every_array() -> None:
    changed = replace(PAIRS[0], f0=PAIRS[0].f0 + 1)
    assert data_hash(PAIRS) != data_hash([changed, *PAIRS[1:]])
