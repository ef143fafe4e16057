"""Two wheels, and the small one alone converts speech in an empty environment."""

from __future__ import annotations

import subprocess
import tomllib
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from runtime_installs import NO_INDEX

import edge_vc_runtime


@pytest.fixture(scope="module", params=["onnx", "litert"])
def board(
    request: pytest.FixtureRequest,
    wheels: dict[str, Path],
    project_root: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The bin folder of an environment with the runtime wheel, its engine and nothing else."""
    folder = tmp_path_factory.mktemp("board")
    venv.create(folder, with_pip=True)
    command = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    command += ["-c", str(project_root / "constraints.txt")]
    command.append(f"{wheels['edge_vc_runtime']}[{request.param}]")
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode and NO_INDEX.search(done.stderr):
        pytest.skip("no package index within reach")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_wheels_hold_their_packages(wheels: dict[str, Path]) -> None:
    assert set(wheels) == {"edge_vc", "edge_vc_runtime"}
    host, runtime = names(wheels["edge_vc"]), names(wheels["edge_vc_runtime"])
    folders = {name.split("/")[0] for name in host if ".dist-info/" not in name}
    assert folders == {"edge_vc", "edge_vc_export", "edge_vc_boards"}
    assert {f"{folder}/py.typed" for folder in folders} <= host
    assert {name.split("/")[0] for name in runtime if ".dist-info/" not in name} == {
        "edge_vc_runtime"
    }
    assert "edge_vc_runtime/py.typed" in runtime
    assert "edge_vc_runtime/boards.json" in runtime
    for file in ("profiles/pi4.toml", "wheels/pins.toml", "emulation/icount.c"):
        assert f"edge_vc_boards/{file}" in host
    assert any(name.endswith("/licenses/edge_vc/assets/LICENSE") for name in host)
    for held in (host, runtime):
        assert any(name.endswith("/licenses/LICENSE") for name in held)
        assert not any("test" in Path(name).name for name in held)


def test_one_version(project_root: Path, wheels: dict[str, Path]) -> None:
    version = edge_vc_runtime.__version__
    assert {path.name.split("-")[1] for path in wheels.values()} == {version}
    project = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    assert f"edge-vc-runtime[onnx,litert,audio]=={version}" in project["dependencies"]


def test_runtime_wheel_alone_converts(board: Path, both: Path, tmp_path: Path) -> None:
    tone = 0.25 * np.sin(np.arange(5000) / 20)
    soundfile.write(tmp_path / "in.wav", tone, 16000)
    soundfile.write(tmp_path / "fast.wav", tone, 44100)
    command = [str(board / "edge-vc-rt"), "run", str(both), "in.wav", "out.wav"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr
    audio, _ = soundfile.read(tmp_path / "out.wav")
    np.testing.assert_allclose(audio, tone, atol=1e-4)
    command[3] = "fast.wav"
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 2
    assert "needs soxr: pip install 'edge-vc-runtime[audio]'" in done.stderr


def test_nothing_else_is_there(board: Path) -> None:
    script = (
        "import importlib.util as u;"
        "print([n for n in ('torch', 'onnx', 'edge_vc', 'soundfile', 'rich') if u.find_spec(n)])"
    )
    done = subprocess.run(
        [str(board / "python"), "-I", "-c", script], capture_output=True, cwd=board
    )
    assert done.stdout == b"[]\n"


def test_profile_on_a_bare_board(board: Path, both: Path, tmp_path: Path) -> None:
    command = [str(board / "edge-vc-rt"), "profile", str(both), "--seconds", "1.2"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "real-time factor" in done.stdout
