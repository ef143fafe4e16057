"""The same inputs give the same bytes: under another clock, locale, user mask, folder, seed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from export_toys import quantized_student, small_student

from edge_vc.models.student.file import save_student
from edge_vc_runtime.bundle.reader import read_bundle

EXPORT = """
import json, os, sys
from pathlib import Path
from edge_vc.models.student.file import load_student
from edge_vc_export.bundle import release
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.parity.speech import example_speech
from edge_vc_export.parity.speed import Ratio

os.umask(int(sys.argv[4], 8))
speed = float(sys.argv[5])
release.compare_precisions = lambda *_: {"onnx": Ratio(speed, speed, speed)}
facts = BundleFacts("small", "0.1.0", "CC0-1.0", "Nobody's voice.", "Do what you like.",
                    metrics={"b": 2.0, "a": 1.0}, provenance={"z": {"y": 1}, "x": 2})
release.release_bundle(
    Path(sys.argv[3]), load_student(Path(sys.argv[1])), load_student(Path(sys.argv[2])), facts,
    tier="nano", speech=example_speech(1.5, 16000), limits=release.ANY_INT8,
)
"""
WORLDS = {
    "plain": ({"OMP_NUM_THREADS": "1"}, "022", 1.5),
    "elsewhere": (
        {
            "TZ": "Asia/Kolkata", "LC_ALL": "C", "LANG": "de_DE.ISO-8859-1", "HOME": "/nonexistent",
            "PYTHONHASHSEED": "4711", "USER": "somebody", "OMP_NUM_THREADS": "1",
            "SOURCE_DATE_EPOCH": "86400", "COLUMNS": "20", "EDGE_VC_EMULATED": "1",
        },
        "077",
        0.5,
    ),
}  # fmt: skip
"""Environment, user mask, and how fast INT8 is."""


@pytest.mark.slow
def test_another_machine_writes_the_same_bundle(tmp_path: Path) -> None:
    student = small_student()
    written = {}
    for world, (environment, mask, speed) in WORLDS.items():
        folder = tmp_path / f"{world} folder"
        (folder / "tmp").mkdir(parents=True)
        files = [folder / name for name in ("float.safetensors", "int8.safetensors")]
        for file, made in zip(files, (student, quantized_student(student)), strict=True):
            save_student(made, file)
            os.utime(file, (len(world) * 1e8, len(world) * 1e8))
        bundle = folder / f"{world}.evc"
        command = [sys.executable, "-W", "ignore", "-c", EXPORT, *map(str, files), str(bundle)]
        done = subprocess.run(
            [*command, mask, str(speed)], cwd=folder, capture_output=True, text=True, timeout=280,
            env={
                "PATH": os.environ["PATH"], "TMPDIR": str(folder / "tmp"), **environment,
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        written[world] = bundle
    one, other = (read_bundle(bundle).manifest for bundle in written.values())
    assert json.loads(one.to_json()) == json.loads(other.to_json())
    assert len({bundle.read_bytes() for bundle in written.values()}) == 1
    shutil.rmtree(tmp_path)
