"""Each real stage, killed before each of its syncs and renames, resumes to the same bytes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from compress_toys import RATE, voice
from test_compress_road import RECIPE

from edge_vc.compress.pipeline.run_folder import RECORD, RunFolder, content_hash
from edge_vc.models.student.file import save_student

STAGES = ("data", "prune", "distill", "calibrate", "quantize", "export")
SERVER = Path(__file__).with_name("crash_server.py")


class CrashServer:
    """The process that forks the runs."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, recipe: Path, folder: Path, until: str, point: int | None) -> dict[str, Any]:
        """Run to the end of a stage, or to a crash point."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"recipe": str(recipe), "run": str(folder), "until": until, "point": point}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the run failed"
        return json.loads(line)

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@pytest.fixture(scope="module")
def server() -> Iterator[CrashServer]:
    server = CrashServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def short_recipe(tmp_path_factory, tiny_teacher, plain_student) -> Path:
    """The road's recipe on six recordings, one format."""
    import soundfile

    folder = tmp_path_factory.mktemp("recipe")
    (folder / "corpus").mkdir()
    for seed in range(6):
        audio = voice(2.5, 100.0 + 12 * seed, seed)
        soundfile.write(folder / "corpus" / f"{seed:02d}.wav", audio, RATE)
    student = save_student(plain_student, folder / "student.safetensors")
    text = RECIPE.format(teacher=tiny_teacher, student=student, corpus=folder / "corpus")
    text = text.replace('name = "tiny"', 'name = "tiny"\nformats = "onnx"')
    path = folder / "tiny.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def whole(server, short_recipe, tmp_path_factory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert not server.run(short_recipe, folder, "export", None)["killed"]
    return folder


def before(whole: Path, stage: str, folder: Path) -> None:
    """Copy what a run has when a stage begins."""
    folder.mkdir()
    for name in STAGES[: STAGES.index(stage)]:
        shutil.copytree(whole / name, folder / name)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_killed_at_every_point_resumes_to_the_same_bytes(
    stage: str, server, short_recipe, whole, tmp_path
) -> None:
    before(whole, stage, tmp_path / "count")
    points = server.run(short_recipe, tmp_path / "count", stage, None)["points"]
    wanted = content_hash(whole / stage)
    assert content_hash(tmp_path / "count" / stage) == wanted
    assert points >= 9
    for point in range(points):
        folder = tmp_path / "run"
        before(whole, stage, folder)
        assert server.run(short_recipe, folder, stage, point)["killed"]
        if (folder / stage / RECORD).exists():
            assert RunFolder(folder).record(stage) is not None
        assert not server.run(short_recipe, folder, stage, None)["killed"]
        assert content_hash(folder / stage) == wanted, f"killed at point {point} of {points}"
        assert not list(folder.rglob(".edge-vc-*"))
        shutil.rmtree(folder)
