from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from export_toys import quantized_student, small_student
from typer.testing import CliRunner

from edge_vc.audio.int8_difference import Int8Difference
from edge_vc.models.student.file import save_student
from edge_vc_export.bundle import release as releases
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.measured import write_measured
from edge_vc_export.bundle.release import release_bundle, rewrite_bundle
from edge_vc_export.bundle.selection import Selection
from edge_vc_export.cli import app
from edge_vc_export.errors import ParityError
from edge_vc_export.formats import FormatError
from edge_vc_export.parity import verify as verification
from edge_vc_export.parity.int8 import Int8Limits
from edge_vc_export.parity.speech import example_speech
from edge_vc_export.parity.speed import Ratio, ratio
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.golden import replay_golden

SAYS = BundleFacts("small", "0.1.0", "CC0-1.0", "Nobody's voice.", "Do what you like.\n")
UNTRAINED = Int8Limits(least_snr_db=15.0, largest_distance_db=30.0, largest_drift_db=6.0)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return example_speech(3.0, 16000)


@pytest.fixture
def fixed_speedup(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Speedups that are measured, instead of what this machine does today."""
    speedups = [1.5]
    monkeypatch.setattr(
        releases,
        "compare_precisions",
        lambda *_: {"onnx": Ratio(speedups[0], speedups[0], speedups[0])},
    )
    return speedups


def test_a_release_is_exported_checked_and_written(
    speech: np.ndarray, tmp_path: Path, fixed_speedup: list[float]
) -> None:
    student = small_student()

    release = release_bundle(
        tmp_path / "small.evc", student, quantized_student(student), SAYS,
        tier="nano", speech=speech, limits=UNTRAINED,
    )  # fmt: skip

    manifest = read_bundle(release.path).manifest
    assert manifest.default == "model.int8.onnx"
    assert manifest.delay == student.delay
    assert [m.file for m in manifest.models] == [
        "model.int8.onnx", "model.int8.tflite", "model.fp32.onnx", "model.fp32.tflite",
    ]  # fmt: skip
    assert set(manifest.runtimes) == {"onnxruntime", "ai-edge-litert", "tflite-runtime"}
    for format in ("onnx", "tflite"):
        assert release.verification.fp32[format].streaming <= 1e-4
        assert release.verification.int8[format].trunk_snr_db >= 15
    assert release.verification.cross_format["int8"].trunk_snr_db >= 30
    assert manifest.metrics == {}, "figures of this machine stay outside"
    measured = json.loads(write_measured(release).read_text())
    assert measured["verification"]["int8_trunk_snr_db"] == pytest.approx(
        release.verification.int8["onnx"].trunk_snr_db, abs=0.01
    )
    assert measured["int8_speedup"]["onnx"]["median"] == fixed_speedup[0]
    assert measured["machine"]["cores"] >= 1
    assert manifest.models[0].quantization is not None
    assert manifest.models[0].quantization["convolutions"] == 4
    assert {"nodes_model.int8.onnx", "fp32_offline", "int8_speedup_onnx"} <= set(release.metrics)


def test_the_bundle_is_the_same_however_fast_int8_is_here(
    speech: np.ndarray, tmp_path: Path, fixed_speedup: list[float]
) -> None:
    student = small_student()
    written, told = {}, {}
    for speedup in (1.5, 0.8):
        fixed_speedup[0], notes = speedup, []
        release = release_bundle(
            tmp_path / f"{speedup}.evc", student, quantized_student(student), SAYS, tier="nano",
            selection=Selection(("onnx",)), speech=speech, limits=UNTRAINED, note=notes.append,
        )  # fmt: skip
        assert release.default == "int8"
        assert release.speedup["onnx"].median == speedup
        written[speedup], told[speedup] = release.path.read_bytes(), notes

    assert written[0.8] == written[1.5]
    assert read_bundle(tmp_path / "0.8.evc").manifest.default == "model.int8.onnx"
    assert any("int8 is slower than fp32" in line and "0.80x" in line for line in told[0.8])
    assert not any("slower" in line for line in told[1.5])


def test_a_student_without_int8_form_is_released_in_fp32(
    speech: np.ndarray, tmp_path: Path
) -> None:
    release = release_bundle(
        tmp_path / "small.evc", small_student(), None, SAYS, tier="nano", speech=speech
    )

    assert (release.verification.int8, release.speedup, release.default) == ({}, {}, "fp32")
    assert [m.precision for m in read_bundle(release.path).manifest.models] == ["fp32"] * 2


def test_a_failed_check_writes_nothing(speech: np.ndarray, tmp_path: Path) -> None:
    student = small_student()
    limits = replace(UNTRAINED, least_snr_db=99.0)

    with pytest.raises(ParityError, match="allowed from 99"):
        release_bundle(
            tmp_path / "x.evc", student, quantized_student(student), SAYS,
            tier="nano", speech=speech, limits=limits,
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_precisions_are_timed_in_turns(speech: np.ndarray, tmp_path: Path) -> None:
    student = small_student()
    release = release_bundle(
        tmp_path / "small.evc", student, quantized_student(student), SAYS,
        tier="nano", speech=speech, limits=UNTRAINED,
    )  # fmt: skip

    assert set(release.speedup) == {"onnx", "tflite"}
    for speed in release.speedup.values():
        assert 0 < speed.low <= speed.median <= speed.high


def test_ratios_are_taken_round_by_round() -> None:
    slow = np.array([[20, 20, 99], [40, 40, 40], [60, 60, 60]])
    fast = np.array([[10, 10, 10], [20, 99, 20], [20, 20, 20]])

    assert ratio(slow, fast) == Ratio(median=2.0, low=2.0, high=2.5)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    student = small_student()
    for stage, form in (("distill", student), ("quantize", quantized_student(student))):
        (tmp_path / "run" / stage).mkdir(parents=True)
        save_student(form, tmp_path / "run" / stage / "student.safetensors")
    said = {"name": "small", "version": "0.1.0", "licence": "CC0-1.0", "consent": "Nobody's voice."}
    summary = {
        "status": "finished", "reason": "", "recipe": {"export": said},
        "stages": {"distill": {}, "quantize": {}},
    }  # fmt: skip
    (tmp_path / "run" / "run.json").write_text(json.dumps(summary))
    return tmp_path / "run"


def invoke(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit | typer.Exit)
    return result.exit_code, result.output


def test_the_command_exports_a_run_folder_and_takes_the_bundle_apart(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixed_speedup: list[float]
) -> None:
    monkeypatch.setattr(releases, "PARITY_SECONDS", 2.0)
    monkeypatch.setattr(verification, "check_int8", _loosely(verification.check_int8))

    code, output = invoke(run_folder, "-o", tmp_path / "voice.evc", "--tier", "nano")
    assert code == 0, output
    assert "int8 is 1.50x fp32 here" in output
    assert "trunk SNR" in output

    code, output = invoke(tmp_path / "voice.evc", "-o", tmp_path / "parts")
    assert code == 0, output
    names = {path.name for path in (tmp_path / "parts").iterdir()}
    assert {"manifest.json", "model.int8.onnx", "MODEL_CARD.md", "LICENSE"} <= names

    code, output = invoke(tmp_path / "voice.evc", "-o", tmp_path / "parts")
    assert code == 2
    assert "not an empty folder" in output


def _loosely(check):  # type: ignore[no-untyped-def]
    return lambda reference, quantized, speech, limits: check(
        reference, quantized, speech, UNTRAINED
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder, "run.json: cannot be read"),
        (lambda folder: folder / "none.safetensors", "no such file"),
        (lambda folder: folder / "none.evc", "No such file"),
    ],
    ids=["empty folder", "missing student", "missing bundle"],
)
def test_the_command_refuses_in_one_line(make, words: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    code, output = invoke(make(tmp_path), "-o", tmp_path / "x.evc")

    assert code == 2
    assert words in output
    assert len(output.strip().splitlines()) == 1
    assert "Traceback" not in output


def test_a_bundle_is_written_anew_in_other_forms(
    speech: np.ndarray, tmp_path: Path, fixed_speedup: list[float]
) -> None:
    student = small_student()
    old = release_bundle(
        tmp_path / "old.evc", student, quantized_student(student), SAYS, tier="nano",
        selection=Selection(("onnx",)), speech=speech, limits=UNTRAINED,
    ).path  # fmt: skip
    precisions = ("int8", "fp32", "dynamic-int8")

    new = rewrite_bundle(
        old, tmp_path / "new.evc", Selection(precisions=precisions), speech=speech
    ).path

    before, after = read_bundle(old), read_bundle(new)
    assert [m.file for m in before.manifest.models] == ["model.int8.onnx", "model.fp32.onnx"]
    assert {m.file for m in after.manifest.models} == {
        "model.int8.onnx", "model.fp32.onnx", "model.int8.tflite", "model.fp32.tflite",
        "model.dynamic-int8.tflite",
    }  # fmt: skip
    assert before.read("model.int8.onnx") == after.read("model.int8.onnx")
    assert after.manifest.licence == "CC0-1.0"
    assert set(before.manifest.runtimes) == {"onnxruntime"}
    replays = replay_golden(after)
    assert {(r.engine, r.precision) for r in replays} == {
        ("onnx", "int8"), ("onnx", "fp32"),
        ("litert", "int8"), ("litert", "fp32"), ("litert", "dynamic-int8"),
    }  # fmt: skip
    assert all(replay.equal for replay in replays)


def test_a_bundle_without_graphs_to_start_from_is_refused(
    speech: np.ndarray, tmp_path: Path, fixed_speedup: list[float]
) -> None:
    only = release_bundle(
        tmp_path / "only.evc", small_student(), None, SAYS, tier="nano",
        selection=Selection(("tflite",), ("fp32",)), speech=speech,
    ).path  # fmt: skip

    with pytest.raises(FormatError, match=r"has no fp32 model as ONNX to start from"):
        rewrite_bundle(only, tmp_path / "new.evc", speech=speech)
    assert not (tmp_path / "new.evc").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--format", "onnx,gguf"], "no format 'gguf'"),
        (["--precision", "int3"], "no precision 'int3'"),
        ([], "no such file"),
    ],
    ids=["format", "precision", "file"],
)
def test_a_wrong_option_is_one_line(options: list[str], words: str, tmp_path: Path) -> None:
    code, output = invoke(tmp_path / "none.safetensors", *options)

    assert (code, output.count("\n")) == (2, 1)
    assert words in output


def test_what_is_only_compared_with_stays_out_of_the_bundle(
    speech: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """INT8 is held against floats on the same engine: F0 may be rounded otherwise on another."""
    pairs: list[tuple[str, str]] = []

    def check(reference: Path, quantized: Path, *_: object) -> object:
        pairs.append((reference.name, quantized.name))
        return Int8Difference(30.0, 30.0, 30.0, 0.5)

    monkeypatch.setattr(verification, "check_int8", check)
    student = small_student()
    release = release_bundle(
        tmp_path / "small.evc", student, quantized_student(student), SAYS,
        tier="nano", selection=Selection(("tflite",), ("int8",)), speech=speech,
    )  # fmt: skip

    models = read_bundle(release.path).manifest.models
    assert [model.file for model in models] == ["model.int8.tflite"]
    assert ("fp32.tflite", "int8.tflite") in pairs
    assert all(a.split(".")[1] == b.split(".")[1] for a, b in pairs)
