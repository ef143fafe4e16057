"""The bundle's archive, golden recording and limits are what boards rely on, to the last figure."""

from __future__ import annotations

import tarfile
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest
from export_toys import FACTS, RATE, speech_like, toy

from edge_vc.compress.recipe import Recipe
from edge_vc.teachers.registry import teacher_kinds
from edge_vc_export.bundle import writer
from edge_vc_export.bundle.archive import archive_bytes, commit_bundle
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.model_file import ModelFile
from edge_vc_export.bundle.recipe_facts import without_machine_paths
from edge_vc_export.bundle.writer import write_bundle
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.parity import golden
from edge_vc_export.parity.cross_format import LEAST_SNR_DB
from edge_vc_export.parity.fp32 import FP32_TOLERANCE
from edge_vc_export.parity.int8 import Int8Limits
from edge_vc_export.tflite import export_tflite
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import read_bundle

SAYS = BundleFacts("toy", "1.0", "CC0-1.0", "Nobody's voice.", "Do what you like.\n")
SPEECH = speech_like(1200).flatten().numpy()


def test_members_carry_no_time_and_no_owner(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(archive_bytes({"b": b"22", "a": b"1"}))

    with tarfile.open(tmp_path / "x.tar") as archive:
        members = archive.getmembers()
    assert [(m.name, m.size) for m in members] == [("b", 2), ("a", 1)]
    for member in members:
        assert (member.mtime, member.uid, member.gid, member.mode) == (0, 0, 0, 0o644)
        assert (member.uname, member.gname) == ("", "")


def test_what_no_reader_accepts_gets_no_name(tmp_path: Path) -> None:
    (tmp_path / "old.evc").write_bytes(b"old")

    with pytest.raises(BundleError):
        commit_bundle(tmp_path / "old.evc", archive_bytes({"note.txt": b"no manifest"}))

    assert (tmp_path / "old.evc").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["old.evc"]


def test_the_golden_is_onnx_s_whatever_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx = export_onnx(toy(), tmp_path / "fp32.onnx", precision="fp32", **FACTS)
    tflite = export_tflite(toy(), tmp_path / "fp32.tflite", precision="fp32", **FACTS)
    opened: list[str] = []
    open_stream = golden.open_stream
    monkeypatch.setattr(
        golden, "open_stream", lambda path: opened.append(path.name) or open_stream(path)
    )

    monkeypatch.setattr(writer, "agreeing_piece", lambda _, audio: audio)  # it opens both

    models = [ModelFile(path, "nano", 1, 1.0) for path in (tflite, onnx)]
    bundle = read_bundle(write_bundle(tmp_path / "toy.evc", SAYS, models, SPEECH))

    assert opened == ["fp32.onnx"]
    assert bundle.manifest.default == "model.fp32.tflite"
    assert bundle.manifest.golden is not None
    assert bundle.manifest.golden.tolerance == {"fp32": 1e-4}
    recorded = bundle.golden()
    assert np.array_equal(recorded["input"], np.clip(SPEECH[: 2 * RATE], -1, 1))
    assert np.abs(recorded["output.fp32"]).max() > 0.01


def test_limits_are_not_loosened_by_accident() -> None:
    assert golden.TOLERANCES == {"int8": 3e-2, "fp32": 1e-4, "dynamic-int8": 3e-2}
    assert Int8Limits() == Int8Limits(
        least_snr_db=25.0, largest_distance_db=1.0, largest_drift_db=1.5
    )
    assert (FP32_TOLERANCE, LEAST_SNR_DB) == (1e-4, 30.0)


@pytest.mark.parametrize(
    ("section", "key", "value", "kept"),
    [
        ("data", "corpus", "/home/ann/speech", "speech"),
        ("data", "labels", "/home/ann/labels/", "labels"),
        ("teacher", "weights", "/home/ann/t.safetensors", "t.safetensors"),
        ("teacher", "path", "~/ann/t.onnx", "t.onnx"),
        ("teacher", "factory", "/home/ann/t.py:make", "t.py:make"),
        ("teacher", "contents", "ann/hubert.onnx", "hubert.onnx"),
        ("teacher", "settings_of_a_plug_in", "/home/ann/x.bin", "x.bin"),
        ("student", "weights", "/home/ann/s.safetensors", "s.safetensors"),
        ("student", "average_with", "../ann/s.safetensors", "s.safetensors"),
        ("noise", "folder", "ann/noises", "noises"),
        ("plug-in", "table", "/home/ann/x.csv", "x.csv"),
        (
            "teacher",
            "command",
            "/home/ann/bin/python /home/ann/c.py {input} {output}",
            "python c.py {input} {output}",
        ),
    ],
)
def test_the_provenance_names_no_folder(section: str, key: str, value: str, kept: str) -> None:
    recipe = {section: {key: value, "other": "and/or", "steps": 3}}
    assert without_machine_paths(recipe) == {section: recipe[section] | {key: kept}}
    assert recipe[section][key] == value


def test_every_setting_that_is_a_path_is_cut_in_the_provenance() -> None:
    sections = {field.name: getattr(Recipe(), field.name) for field in fields(Recipe)}
    given = [(name, each) for name, each in sections.items() if is_dataclass(each)]
    given += [("teacher", kind.spec()) for kind in teacher_kinds().values()]
    found = [
        (section, field.name)
        for section, settings in given
        for field in fields(settings)  # type: ignore[arg-type]
        if "paths" in field.metadata
    ]
    assert {("student", "average_with"), ("teacher", "command")} <= set(found)
    for section, key in found:
        cut = without_machine_paths({section: {key: "some/folder/name"}})
        assert cut == {section: {key: "name"}}, (section, key)
