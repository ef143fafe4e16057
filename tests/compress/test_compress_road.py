"""The whole road, tiny: recordings, teacher and student in, a bundle out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_vc.compress import run as stages
from edge_vc.compress.cli import app
from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.settings import SHIPPED_VOICE
from edge_vc.models.student.file import load_student, save_student
from edge_vc_runtime.bundle.reader import read_bundle

RECIPE = """
[teacher]
weights = "{teacher}"
[student]
weights = "{student}"
[data]
corpus = "{corpus}"
holdout_seconds = 5.0
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
bias_correction = true
qat_steps = 3
qat_batch = 2
min_snr_db = 5.0
max_lsd_db = 60.0
max_drift_db = 60.0
[export]
name = "tiny"
licence = "LicenseRef-tiny"
consent = "Nobody's voice."
attribution = "Nobody's recordings."
[target]
max_mmacs = 200.0
max_weight_kb = 8.0
"""


@pytest.fixture(scope="module")
def recipe_file(tmp_path_factory, tiny_teacher, plain_student, tiny_corpus) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    student = save_student(plain_student, folder / "student.safetensors")
    path = folder / "tiny.toml"
    path.write_text(RECIPE.format(teacher=tiny_teacher, student=student, corpus=tiny_corpus))
    return path


def invoke(*args: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(arg) for arg in args])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def edited(recipe_file: Path, folder: Path, old: str, new: str) -> Path:
    text = recipe_file.read_text()
    assert old in text
    path = folder / "edited.toml"
    path.write_text(text.replace(old, new))
    return path


@pytest.fixture(scope="module")
def finished(recipe_file, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("run")
    code, output = invoke(recipe_file, "--run", run)
    assert code == 0, output
    assert output.rstrip().endswith("tiny.evc")
    return run


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A finished run to do things to."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def summary(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())


def test_the_bundle_holds_both_precisions_of_the_pruned_student(finished):
    bundle = read_bundle(finished / "export" / "tiny.evc")
    assert sorted(m.file for m in bundle.manifest.models) == [
        "model.fp32.onnx", "model.fp32.tflite", "model.int8.onnx", "model.int8.tflite",
    ]  # fmt: skip
    student = load_student(finished / "distill" / "student.safetensors")
    int8 = next(m for m in bundle.manifest.models if m.precision == "int8")
    assert int8.quantization["int8_weights"] == student.trunk_parameters() <= 8000
    assert bundle.manifest.provenance["recipe"]["target"]["max_weight_kb"] == 8.0


def test_every_stage_leaves_its_numbers(finished):
    found = summary(finished)
    assert found["status"] == "finished"
    assert list(found["stages"]) == ["data", "prune", "distill", "calibrate", "quantize", "export"]
    metrics = {name: stage["metrics"] for name, stage in found["stages"].items()}
    assert metrics["prune"]["int8_weight_kb"] <= 8.0
    assert metrics["prune"]["parameters"] < metrics["prune"]["parameters_before"]
    assert metrics["distill"]["mel_db"] != metrics["distill"]["mel_db_before"]
    assert metrics["quantize"]["trunk_snr_db"] >= metrics["calibrate"]["trunk_snr_db"]
    assert metrics["export"]["fp32_offline"] <= 1e-4


def test_a_second_run_does_nothing(recipe_file, run):
    code, output = invoke(recipe_file, "--run", run)
    assert code == 0
    assert output.count("skipped: unchanged") == 6
    assert "mel distance to the teacher: " in output
    assert "INT8 weights: " in output
    assert " kB" in output
    assert "_db" not in output
    assert "\x1b" not in output


def test_the_plan_names_what_a_change_concerns(recipe_file, run, tmp_path):
    before = sorted(run.rglob("*"))
    changed = edited(recipe_file, tmp_path, "qat_steps = 3", "qat_steps = 4")
    code, output = invoke(changed, "--run", run, "--dry-run")
    assert code == 0
    rows = [line.split("│")[1:4] for line in output.splitlines() if "│" in line]
    plan = {row[0].strip(): row[1].strip() for row in rows if len(row) == 3}
    assert plan["distill"] == plan["calibrate"] == "skip"
    assert plan["quantize"] == plan["export"] == "run"
    assert "quantize.qat_steps: 3 -> 4" in output
    assert "algorithmic latency, ms" in output
    assert sorted(run.rglob("*")) == before


def test_a_limit_stops_with_the_numbers_and_exit_code_1(recipe_file, run, tmp_path):
    strict = edited(recipe_file, tmp_path, "min_snr_db = 5.0", "min_snr_db = 99.0")
    code, output = invoke(strict, "--run", run)
    assert code == 1
    assert "is below quantize.min_snr_db = 99" in output
    assert summary(run)["status"] == "stopped"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("max_weight_kb = 8.0", "max_weight_kb = 0.1", "1 to 100000 kB"),
        ("max_mmacs = 200.0", "max_latency_ms = 12", "allowed are 20 ms and more"),
        ("round_to = 4", "enabled = false", "prune.enabled = true"),
        ("holdout_seconds = 5.0", "holdout_seconds = 60.0", "data.holdout_seconds = 60"),
        ("vary = false", "vari = false", "data.vari = false: unknown key; did you mean vary?"),
        ('corpus = "', 'corpus = "/nowhere', 'data.corpus = "/nowhere'),
        ('[teacher]\nweights = "', '[teacher]\nweights = "/none', 'teacher.weights = "/none'),
        ('[student]\nweights = "', '[student]\nweights = "/none', 'student.weights = "/none'),
        ('consent = "Nobody\'s voice."\n', "", "export.consent: is missing"),
        ('attribution = "Nobody\'s recordings."\n', "", "export.attribution: is missing"),
        ('licence = "LicenseRef-tiny"\n', "", "export.licence: is missing"),
        (
            'name = "tiny"\n',
            "",
            "export.name: is missing, and a teacher of your own has no default; "
            'write under [export]: name = "my-voice"',
        ),
        (
            "Nobody's voice.",
            SHIPPED_VOICE.consent.replace('"', '\\"'),
            "export.consent: speaks of Kathleen",
        ),
        (
            "Nobody's recordings.",
            SHIPPED_VOICE.attribution.replace('"', '\\"'),
            "export.attribution: speaks of Kathleen",
        ),
        ('name = "tiny"', 'name = "kathleen-base"', "export.name: speaks of Kathleen"),
        ('name = "tiny"', 'name = "../../evil"', "export.name is '../../evil'"),
        ('name = "tiny"', 'name = "/tmp/evil"', "export.name is '/tmp/evil'"),
        ('name = "tiny"', 'name = "tiny"\nversion = "newest"', "export.version is 'newest'"),
        ('licence = "LicenseRef-tiny"', 'licence = "a\\nb"', "export.licence is 'a"),
        ("Nobody's voice.", "Nobody's\\u001b[2J", 'export.consent is "Nobody'),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(recipe_file, tmp_path, old, new, words):
    code, output = invoke(edited(recipe_file, tmp_path, old, new), "--run", tmp_path / "run")
    assert code == 2
    assert words in output.replace("data      runs: not done yet\n", "")
    assert output.splitlines()[-1].startswith("edge-vc compress: error: ")
    assert "Traceback" not in output
    assert not list((tmp_path / "run").glob("*/stage.json"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("segment_seconds = 0.5", "segment_seconds = 9.5", "distill.segment_seconds = 9.5"),
        ("qat_batch = 2", "qat_segment_seconds = 9.5", "quantize.qat_segment_seconds = 9.5"),
    ],
)
def test_recordings_too_short_for_a_segment_name_the_key(
    recipe_file, run, tmp_path, old, new, words
):
    code, output = invoke(edited(recipe_file, tmp_path, old, new), "--run", run)
    assert code == 2
    assert words in output


def test_other_weights_are_no_teacher(recipe_file, tmp_path):
    student = recipe_file.with_name("student.safetensors")
    other = tmp_path / "other.toml"
    other.write_text(
        f'[teacher]\nweights = "{student}"\n' + recipe_file.read_text().split("\n", 3)[3]
    )
    code, output = invoke(other, "--run", tmp_path / "run")
    assert code == 2
    assert "not a teacher" in output


def test_a_file_is_no_run_folder(recipe_file, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    code, output = invoke(recipe_file, "--run", file)
    assert code == 2
    assert f"{file}: is a file; name a folder" in output


def test_ctrl_c_says_how_to_go_on(recipe_file, tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(stages, "run_stages", interrupted)
    code, output = invoke(recipe_file, "--run", tmp_path / "run", "--corpus", "my voice")
    assert code == 130
    assert f"edge-vc compress {recipe_file} --run {tmp_path / 'run'} --corpus 'my voice'" in output


def test_show_prints_a_recipe_that_reads_back():
    code, output = invoke("nano", "--show")
    assert code == 0
    assert Recipe.from_toml(output).target.max_weight_kb == 390.0


def test_help_teaches():
    code, output = invoke("--help")
    assert code == 0
    for word in ("RECIPE", "--dry-run", "--corpus", "run.json", "130"):
        assert word in output
