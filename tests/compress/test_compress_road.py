"""The whole road, tiny: recordings, teacher and student in, a bundle out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_vc.compress.cli import app
from edge_vc.compress.recipe import load_recipe
from edge_vc.compress.student_file import load_student, save_student

RECIPE = """
[teacher]
weights = "{teacher}"
[student]
weights = "{student}"
[data]
corpus = "{corpus}"
holdout_seconds = 10.0
vary = false
[distill]
steps = 3
batch = 2
segment_seconds = 0.5
max_mel_db = 200.0
[prune]
max_mel_db = 200.0
round_to = 4
[quantize]
calibration_seconds = 5.0
qat_steps = 3
qat_batch = 2
min_snr_db = 5.0
max_lsd_db = 60.0
[export]
name = "tiny"
[target]
max_mmacs = 20.0
max_weight_kb = 50.0
"""


@pytest.fixture(scope="module")
def recipe_file(tmp_path_factory, tiny_teacher, tiny_student, tiny_corpus) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    student = save_student(tiny_student, folder / "student.safetensors")
    path = folder / "tiny.toml"
    path.write_text(RECIPE.format(teacher=tiny_teacher, student=student, corpus=tiny_corpus))
    return path


def invoke(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_a_recipe_becomes_a_bundle_and_then_rests(recipe_file, tmp_path):
    code, output = invoke(recipe_file, "--run", tmp_path)
    print(output)
    assert code == 0
