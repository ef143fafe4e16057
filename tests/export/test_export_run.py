"""Exports take their facts from what they export: a run's recipe, a bundle, or the caller."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from export_toys import quantized_student, small_student
from typer.testing import CliRunner

from edge_vc.models.student.file import load_student, save_student
from edge_vc_export.bundle import release as releases
from edge_vc_export.cli import app
from edge_vc_export.compress_run import CompressRun
from edge_vc_export.errors import ExportError
from edge_vc_export.job import Overrides, job_of_run
from edge_vc_export.parity.int8 import Int8Limits
from edge_vc_export.parity.speed import Ratio
from edge_vc_runtime.bundle.reader import Bundle, read_bundle

RECIPE: dict[str, dict[str, object]] = {
    "teacher": {"kind": "onnx", "path": "/home/ann/teacher.onnx"},
    "data": {"corpus": "/home/ann/recordings", "labels": ""},
    "student": {"weights": "shipped"},
    "quantize": {"min_snr_db": 5.0, "max_lsd_db": 40.0, "max_drift_db": 30.0},
    "export": {
        "name": "ann",
        "version": "3.1.4",
        "licence": "LicenseRef-ann",
        "consent": "Ann agreed on paper.",
        "attribution": "Ann's recordings.\n\nAnd her sister's.",
        "precision": "fp32",
        "formats": "onnx",
    },
}
STOPPED = "stage quantize stopped the run: trunk_snr_db = 9 is below quantize.min_snr_db = 25"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(releases, "PARITY_SECONDS", 2.0)
    monkeypatch.setattr(releases, "compare_precisions", lambda *_: {"onnx": Ratio(1.5, 1.5, 1.5)})


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, student = tmp_path_factory.mktemp("students"), small_student()
    save_student(student, folder / "float.safetensors")
    save_student(quantized_student(student), folder / "int8.safetensors")
    save_student(quantized_student(small_student(7)), folder / "stranger.safetensors")
    return folder


@pytest.fixture
def run(students: Path, tmp_path: Path) -> Path:
    """A finished run of somebody's own teacher, as `edge-vc compress` leaves it."""
    for stage, file in (("distill", "float"), ("quantize", "int8")):
        (tmp_path / "run" / stage).mkdir(parents=True)
        content = (students / f"{file}.safetensors").read_bytes()
        (tmp_path / "run" / stage / "student.safetensors").write_bytes(content)
    write_summary(tmp_path / "run")
    return tmp_path / "run"


def write_summary(run: Path, **changes: object) -> None:
    summary = {
        "edge_vc": "0.1.0", "status": "finished", "reason": "", "recipe": RECIPE,
        "stages": {"data": {}, "prune": {}, "distill": {}, "calibrate": {}, "quantize": {}},
    }  # fmt: skip
    (run / "run.json").write_text(json.dumps(summary | changes))


def changed(section: str, **keys: object) -> dict[str, dict[str, object]]:
    return RECIPE | {section: RECIPE[section] | keys}


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit | typer.Exit)
    return result.exit_code, result.output


def exported(*arguments: object) -> Bundle:
    code, output = invoke(*arguments)
    assert code == 0, output
    return read_bundle(Path(str(arguments[arguments.index("-o") + 1])))


def card(bundle: Bundle) -> str:
    return bundle.read("MODEL_CARD.md").decode()


def test_a_run_brings_its_own_facts(run: Path, tmp_path: Path) -> None:
    bundle = exported(run, "-o", tmp_path / "out.evc")

    said = bundle.manifest
    assert (said.name, said.version, said.licence, said.consent) == (
        "ann", "3.1.4", "LicenseRef-ann", "Ann agreed on paper.",
    )  # fmt: skip
    assert [model.file for model in said.models] == ["model.fp32.onnx"]
    assert said.models[0].tier == "nano"
    assert "## Training data\n\nAnn's recordings.\n\nAnd her sister's.\n" in card(bundle)
    assert bundle.read("LICENSE").decode() == "SPDX-License-Identifier: LicenseRef-ann\n"
    assert said.provenance["recipe"] == RECIPE | {
        "teacher": {"kind": "onnx", "path": "teacher.onnx"},
        "data": {"corpus": "recordings", "labels": ""},
    }
    assert "forced" not in said.provenance
    assert "--force" not in card(bundle)
    for word in ("Kathleen", "/home"):
        assert word not in card(bundle) + said.to_json().decode()


def test_the_postfilter_is_the_recipe_s_or_the_option_s(run: Path, tmp_path: Path) -> None:
    options = ("--precision", "fp32,int8", "-o")
    plain = exported(run, *options, tmp_path / "plain.evc")
    option = exported(run, "--postfilter", 1.4, *options, tmp_path / "option.evc")
    write_summary(run, recipe=changed("export", postfilter=1.4))
    recipe = exported(run, *options, tmp_path / "recipe.evc")
    student = exported(
        run / "distill" / "student.safetensors", "--postfilter", 1.4, "--licence", "CC0-1.0",
        "--consent", "Ann agreed.", "-o", tmp_path / "student.evc",
    )  # fmt: skip
    for name in ("model.fp32.onnx", "model.int8.onnx"):
        assert option.read(name) != plain.read(name)
    sounds = [bundle.golden()["output.fp32"] for bundle in (option, recipe, student, plain)]
    assert np.array_equal(sounds[0], sounds[1])
    assert np.array_equal(sounds[0], sounds[2])
    assert not np.array_equal(sounds[0], sounds[3])
    said = [bundle.manifest.provenance["recipe"]["export"] for bundle in (option, recipe)]
    assert [section["postfilter"] for section in said] == [1.4, 1.4]


@pytest.mark.parametrize("gain", ["0.5", "2.5", "nan"])
def test_a_postfilter_out_of_range_is_one_line(run: Path, tmp_path: Path, gain: str) -> None:
    code, output = invoke(run, "--postfilter", gain, "-o", tmp_path / "a.evc")
    assert (code, "must be within 1..2" in output) == (2, True), output
    bundle = tmp_path / "b.evc"
    exported(run, "-o", bundle)
    code, output = invoke(bundle, "--postfilter", "1.4", "-o", tmp_path / "c.evc")
    assert (code, "--postfilter: " in output) == (2, True), output
    write_summary(run, recipe=changed("export", postfilter="much"))
    code, output = invoke(run, "-o", tmp_path / "a.evc")
    assert (code, "export.postfilter = 'much'" in output) == (2, True), output


def test_a_bundle_without_a_name_given_is_called_as_the_run_says(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = invoke(run)
    assert (code, output.splitlines()[-1] == "ann.evc") == (0, True), output


def test_options_win_over_the_run(run: Path, tmp_path: Path) -> None:
    bundle = exported(
        run, "-o", tmp_path / "out.evc", "--name", "bea", "--version", "9.0", "--tier", "wide",
        "--licence", "CC0-1.0", "--consent", "Bea agreed.", "--attribution", "Bea's recordings.",
        "--precision", "int8", "--format", "tflite",
    )  # fmt: skip

    said = bundle.manifest
    assert (said.name, said.version, said.licence, said.consent) == (
        "bea", "9.0", "CC0-1.0", "Bea agreed.",
    )  # fmt: skip
    assert [(model.file, model.tier) for model in said.models] == [("model.int8.tflite", "wide")]
    assert "Bea's recordings." in card(bundle)
    assert "Ann" not in card(bundle)
    assert "public domain" in bundle.read("LICENSE").decode().lower()


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        ("stopped", STOPPED, f"a limit stopped the run: {STOPPED}"),
        ("interrupted", "KeyboardInterrupt", "the run was interrupted: KeyboardInterrupt"),
        ("partial", "", "the run ended before its last stage"),
        ("running", "", "the run was killed, or is still going on"),
        ("odd", "", "its status is 'odd'"),
    ],
)
def test_an_unfinished_run_is_refused(
    run: Path, tmp_path: Path, status: str, reason: str, words: str
) -> None:
    write_summary(run, status=status, reason=reason)

    code, output = invoke(run, "-o", tmp_path / "out.evc")

    assert (code, output.count("\n")) == (2, 1)
    assert f"{run}: {words}" in output
    assert f"edge-vc compress RECIPE --run {run}" in output
    assert "--force" in output
    assert not (tmp_path / "out.evc").exists()


def test_force_ships_a_stopped_run_and_says_so(run: Path, tmp_path: Path) -> None:
    strict = RECIPE | changed("quantize", min_snr_db=99.0) | changed("export", precision="both")
    write_summary(run, status="stopped", reason=STOPPED, recipe=strict)

    bundle = exported(run, "-o", tmp_path / "out.evc", "--force")

    assert bundle.manifest.provenance["forced"] == f"a limit stopped the run: {STOPPED}"
    assert f"**Exported with --force: a limit stopped the run: {STOPPED}.**" in card(bundle)
    assert "model.int8.onnx" in bundle.manifest.files

    again = exported(bundle.path, "-o", tmp_path / "again.evc", "--format", "onnx")
    assert again.manifest.provenance == bundle.manifest.provenance
    assert "Exported with --force" in card(again)


def test_force_changes_nothing_about_a_finished_run(run: Path, tmp_path: Path) -> None:
    plain = exported(run, "-o", tmp_path / "plain.evc")
    forced = exported(run, "-o", tmp_path / "forced.evc", "--force")
    assert plain.path.read_bytes() == forced.path.read_bytes()


def test_a_finished_run_is_held_to_its_recipe_s_limits(run: Path, tmp_path: Path) -> None:
    strict = changed("quantize", min_snr_db=99.0, max_lsd_db=0.02, max_drift_db=0.2)
    write_summary(run, recipe=strict)

    assert job_of_run(CompressRun.read(run)).limits == Int8Limits(99.0, 0.02, 0.2)
    code, output = invoke(run, "-o", tmp_path / "out.evc", "--precision", "int8")
    assert (code, "allowed from 99" in output) == (2, True), output


@pytest.mark.parametrize(
    ("precision", "formats", "files"),
    [
        ("both", "onnx", ["int8.onnx", "fp32.onnx"]),
        ("fp32", "both", ["fp32.onnx", "fp32.tflite"]),
        ("all", "tflite", ["int8.tflite", "fp32.tflite", "dynamic-int8.tflite"]),
    ],
)
def test_the_recipe_chooses_the_files(
    run: Path, precision: str, formats: str, files: list[str]
) -> None:
    write_summary(run, recipe=changed("export", precision=precision, formats=formats))
    selection = job_of_run(CompressRun.read(run)).selection
    chosen = [
        f"{p}.{f}" for p in ("int8", "fp32", "dynamic-int8") for f in ("onnx", "tflite")
        if selection.has(p, f)
    ]  # fmt: skip
    assert chosen == files


def test_students_of_an_older_attempt_are_not_mixed_in(run: Path, students: Path) -> None:
    stranger = (students / "stranger.safetensors").read_bytes()
    (run / "quantize" / "student.safetensors").write_bytes(stranger)
    write_summary(run, status="stopped", reason="distill", stages={"data": {}, "distill": {}})

    job = job_of_run(CompressRun.read(run), force=True)

    assert job.student == run / "distill" / "student.safetensors"
    assert job.quantized is None
    write_summary(run, status="stopped", reason="data", stages={"data": {}})
    with pytest.raises(ExportError, match=r"holds no distill/student\.safetensors"):
        job_of_run(CompressRun.read(run), force=True)


@pytest.mark.parametrize("key", ["consent", "licence", "name"])
def test_a_run_that_does_not_say_whose_voice_it_is_is_refused(run: Path, key: str) -> None:
    write_summary(run, recipe=changed("export", **{key: " "}))
    with pytest.raises(ExportError, match=rf'no {key} is known; give --{key} "'):
        job_of_run(CompressRun.read(run))
    job = job_of_run(CompressRun.read(run), Overrides(**{key: "said"}))
    assert getattr(job.facts, key) == "said"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "../../evil"),
        ("name", "/tmp/evil"),
        ("name", "n" * 65),
        ("name", "Gr\u00f6\u00dfe"),
        ("version", "newest"),
        ("licence", "a\nb"),
        ("consent", "c" * 4001),
        ("consent", "\x1b[2Jsigned"),
        ("tier", "../evil"),
    ],
)
@pytest.mark.parametrize("given", ["option", "run"])
def test_what_no_reader_accepts_is_refused_before_the_work(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(releases, "export_graphs", lambda *_: pytest.fail("it was begun"))
    options: tuple[str, ...] = (f"--{key}", value)
    if given == "run" and key != "tier":
        write_summary(run, recipe=changed("export", **{key: value}))
        options = ()
    before = sorted(tmp_path.parent.rglob("*"))
    code, output = invoke(run, *options)
    assert (code, output.count("\n")) == (2, 1)
    assert f"{key} is {value!a:.20}" in output
    assert sorted(tmp_path.parent.rglob("*")) == before


def test_where_a_bundle_without_a_name_given_goes_is_checked_first(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(releases, "export_graphs", lambda *_: pytest.fail("it was begun"))
    (tmp_path / "ann.evc").mkdir()
    code, output = invoke(run)
    assert (code, output.count("\n")) == (2, 1)
    assert "-o ann.evc: is a folder" in output


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda file: file.unlink(), "cannot be read (No such file or directory)"),
        (lambda file: file.write_text("{"), "is not what `edge-vc compress` writes"),
        (lambda file: file.write_text("[]"), "is not what `edge-vc compress` writes"),
        (lambda file: file.write_text('{"status": "finished"}'), "('reason')"),
        (lambda file: file.write_bytes(b"\xff"), "is not what `edge-vc compress` writes"),
    ],
    ids=["missing", "cut", "list", "keys", "bytes"],
)
def test_a_folder_that_is_no_run_is_refused(
    run: Path, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(run / "run.json")
    code, output = invoke(run, "-o", tmp_path / "x.evc", "--force")
    assert (code, output.count("\n")) == (2, 1)
    assert f"{run}/run.json: " in output
    assert words in output


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        (["--licence", "CC0-1.0"], "--consent"),
        (["--consent", "Ann agreed."], "--licence"),
        (["--licence", "CC0-1.0", "--consent", ""], "--consent"),
    ],
)
def test_a_bare_student_needs_licence_and_consent(
    students: Path, tmp_path: Path, options: list[str], missing: str
) -> None:
    code, output = invoke(students / "float.safetensors", "-o", tmp_path / "ann.evc", *options)

    assert (code, output.count("\n")) == (2, 1)
    assert f"give {missing} " in output
    assert not (tmp_path / "ann.evc").exists()


def test_a_bare_student_is_what_the_caller_says(students: Path, tmp_path: Path) -> None:
    bundle = exported(
        students / "float.safetensors", "--consent", "Ann agreed.", "--licence", "MIT",
        "-o", tmp_path / "ann.evc", "--format", "onnx",
    )  # fmt: skip

    said = bundle.manifest
    assert (said.name, said.licence, said.consent) == ("ann", "MIT", "Ann agreed.")
    assert [model.file for model in said.models] == ["model.fp32.onnx"]
    assert "Training data" not in card(bundle)


def test_what_a_student_file_says_of_its_making_is_kept(students: Path, tmp_path: Path) -> None:
    told = tmp_path / "told.safetensors"
    save_student(load_student(students / "float.safetensors"), told, {"seed": "7"})
    bundle = exported(
        told, "--consent", "Ann agreed.", "--licence", "MIT",
        "-o", tmp_path / "ann.evc", "--format", "onnx",
    )  # fmt: skip
    assert bundle.manifest.provenance["student"] == {"seed": "7"}


def test_a_bundle_keeps_its_own_facts(run: Path, tmp_path: Path) -> None:
    write_summary(run, recipe=changed("export", precision="both"))
    old = exported(run, "-o", tmp_path / "old.evc", "--tier", "wide")

    new = exported(old.path, "-o", tmp_path / "new.evc", "--precision", "fp32")

    assert {model.file for model in new.manifest.models} == {"model.fp32.onnx", "model.fp32.tflite"}
    assert {model.tier for model in new.manifest.models} == {"wide"}
    for key in ("name", "version", "licence", "consent", "boards", "provenance", "delay", "hop"):
        assert getattr(new.manifest, key) == getattr(old.manifest, key), key
    assert new.read("LICENSE") == old.read("LICENSE")
    assert "Ann's recordings.\n\nAnd her sister's.\n" in card(new)
    assert old.manifest.metrics == new.manifest.metrics == {}
    assert (tmp_path / "new.measured.json").is_file()

    code, output = invoke(old.path, "-o", tmp_path / "x.evc", "--consent", "Bea agreed.")
    assert (code, output.count("\n")) == (2, 1)
    assert "--consent: " in output
    assert "keeps its own facts" in output


def test_overrides_leave_the_rest_alone(run: Path) -> None:
    own = job_of_run(CompressRun.read(run))
    renamed = job_of_run(CompressRun.read(run), Overrides(name="bea"))
    assert renamed == replace(own, facts=replace(own.facts, name="bea"))
