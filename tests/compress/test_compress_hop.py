"""A recipe with another hop or sample rate, from its file to the first steps of distillation."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from compress_toys import TINY, settled
from typer.testing import CliRunner

from edge_vc.compress.cli import app
from edge_vc.compress.recipe import Recipe
from edge_vc.compress.run import compress
from edge_vc.compress.stages.initial_student import expected_costs, initial_student
from edge_vc.labelling.labels import load_labels
from edge_vc.models.student.file import load_student, save_student
from edge_vc.settings.field import RecipeError


def recipe(student: str) -> Recipe:
    return Recipe.from_toml(f"[student]\n{student}")


@pytest.mark.parametrize(("hop_ms", "latency"), [(2.5, 5.0), (5, 10.0), (20, 40.0)])
def test_shipped_weights_start_at_another_hop(hop_ms: float, latency: float) -> None:
    student = initial_student(recipe(f"hop_ms = {hop_ms}").student)
    usual = initial_student(recipe("").student)

    assert student.algorithmic_latency_ms == latency
    name = "trunk.3.inner.2.conv.weight"
    assert torch.equal(student.state_dict()[name], usual.state_dict()[name])


def test_a_random_student_takes_hop_and_rate() -> None:
    given = 'tier = "nano"\nweights = "random"\nhop_ms = 5\nsample_rate = 24000'
    config = initial_student(recipe(given).student).config

    assert (config.hop, config.sample_rate, config.analysis_window) == (120, 24_000, 768)


def test_a_shorter_hop_costs_more_steps_and_is_pruned_to_the_same_budget() -> None:
    before, after = expected_costs(recipe("hop_ms = 5"))
    usual, _ = expected_costs(recipe(""))

    assert before.mmacs > 1.8 * usual.mmacs
    assert after.mmacs <= 150
    assert (before.latency_ms, usual.latency_ms) == (10.0, 20.0)


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("sample_rate = 24000", "are for 16000 Hz, not student.sample_rate = 24000"),
        (
            'weights = "random"\nhop_ms = 2.5\nsample_rate = 22050',
            "student.hop_ms = 2.5 at 22050 Hz is 55.125 samples",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(student: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words) as caught:
        initial_student(recipe(student).student)
    assert "\n" not in str(caught.value)


TINY_RUN = """
[teacher]
weights = "{teacher}"
[student]
tier = "nano"
{student}
[data]
corpus = "{corpus}"
holdout_seconds = 5.0
vary = false
[distill]
steps = 2
batch = 2
segment_seconds = 0.5
max_mel_db = 200.0
[prune]
enabled = false
max_mel_db = 200.0
[export]
name = "tiny"
licence = "LicenseRef-tiny"
consent = "Nobody's voice."
attribution = "Nobody's recordings."
[target]
max_mmacs = 1000.0
max_weight_kb = 1000.0
max_latency_ms = 40.0
"""


def tiny_weights(folder: Path, hop_ms: float, rate: int) -> Path:
    student = settled(TINY.at(hop_ms, rate))
    return save_student(student, folder / "student.safetensors")


@pytest.mark.parametrize(
    ("hop_ms", "rate"),
    [
        (5.0, 16_000),
        pytest.param(20.0, 16_000, marks=pytest.mark.slow),
        pytest.param(10.0, 24_000, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_few_steps_of_distillation_run(
    hop_ms: float, rate: int, tiny_teacher: Path, tiny_corpus: Path, tmp_path: Path
) -> None:
    weights = tiny_weights(tmp_path, hop_ms, rate)
    given = f'weights = "{weights}"\nhop_ms = {hop_ms}\nsample_rate = {rate}'
    text = TINY_RUN.format(teacher=tiny_teacher, student=given, corpus=tiny_corpus)
    plan = Recipe.from_toml(text)

    result = compress(plan, tmp_path / "run", until="distill")

    student = load_student(result.artifact("distill") / "student.safetensors")
    assert (student.config.hop_ms, student.config.sample_rate) == (hop_ms, rate)
    assert 0 < result.metrics["distill"]["mel_db"] < 200
    labels = load_labels(next(result.artifact("data").glob("train-*.npz")))
    assert labels.hop == rate // 100
    assert len(labels.source) == pytest.approx(2.5 * rate, rel=0.01)
    assert len(labels.bands) == (240 if rate == 16_000 else 0)


@pytest.mark.parametrize("hop_ms", [5, 20])
def test_a_dry_run_with_another_hop_names_its_cost(
    hop_ms: float, tiny_teacher: Path, tiny_corpus: Path, tmp_path: Path
) -> None:
    text = TINY_RUN.format(
        teacher=tiny_teacher, student=f'weights = "random"\nhop_ms = {hop_ms}', corpus=tiny_corpus
    )
    (tmp_path / "recipe.toml").write_text(text)

    found = CliRunner().invoke(
        app, [str(tmp_path / "recipe.toml"), "--run", str(tmp_path / "run"), "--dry-run"]
    )

    assert found.exit_code == 0, found.output
    assert f"{2 * hop_ms:g}" in found.output
