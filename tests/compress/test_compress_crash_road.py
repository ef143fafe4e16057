"""Each real stage, killed at each change of the disk, resumes to the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from compress_toys import RATE, voice
from crash_sweep import CrashServer, copy, sweep
from test_compress_road import RECIPE

from edge_vc.models.student.file import save_student

STAGES = ("data", "prune", "distill", "calibrate", "quantize", "export")


@pytest.fixture(scope="module")
def server() -> Iterator[CrashServer]:
    server = CrashServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def short_recipe(tmp_path_factory, tiny_teacher, plain_student) -> Path:
    """The road's recipe on six recordings, one format."""
    folder = tmp_path_factory.mktemp("recipe")
    (folder / "corpus").mkdir()
    for seed in range(6):
        audio = voice(2.5, 100.0 + 12 * seed, seed)
        soundfile.write(folder / "corpus" / f"{seed:02d}.wav", audio, RATE)
    student = save_student(plain_student, folder / "student.safetensors")
    text = RECIPE.format(teacher=tiny_teacher, student=student, corpus=folder / "corpus")
    path = folder / "tiny.toml"
    path.write_text(text.replace('name = "tiny"', 'name = "tiny"\nformats = "onnx"'))
    return path


@pytest.fixture(scope="module")
def whole(server, short_recipe, tmp_path_factory) -> Path:
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    done = server.run(["compress", short_recipe, "--run", folder], folder)
    assert done["code"] == 0, done["said"]
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_killed_at_every_point_resumes_to_the_same_bytes(
    stage: str, server, short_recipe, whole, tmp_path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in STAGES[: STAGES.index(stage)]:
        copy(whole / name, folder / name)
    words = ["compress", short_recipe, "--run", folder, "--stage", stage]
    swept = sweep(server, words, folder, tmp_path / "scratch")
    assert swept.states >= 10
    assert [name for name in swept.content if name.startswith(f"{stage}/")]
