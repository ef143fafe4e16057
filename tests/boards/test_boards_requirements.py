"""The wheels of a board: pinned like the project's own, and really there for its processor."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from edge_vc_boards.board import BoardError
from edge_vc_boards.profile import read_profile
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels import pyaudio_wheel
from edge_vc_boards.wheels.requirements import platform_tags, wheel_set
from edge_vc_runtime import __version__
from edge_vc_runtime.engines import (
    ENGINES,
    EngineFactory,
    EngineKind,
    EngineLibrary,
    register_engine,
    unregister_engine,
)

_NO_INDEX = re.compile(r"from versions: none|Failed to establish|name resolution|ConnectionError")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_pins_are_those_of_the_constraints(project_root: Path) -> None:
    lines = (project_root / "constraints.txt").read_text().splitlines()
    constraints = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    pinned = {normal(name): version for name, version in constraints.items()}
    pins_file = resources.files("edge_vc_boards") / "wheels" / "pins.toml"
    document = tomllib.loads(pins_file.read_text())
    pins = {"numpy": document["numpy"]["3.11"], "PyAudio": pyaudio_wheel.VERSION}
    pins |= document["audio"] | document["sounddevice"]
    for kind in ENGINES.values():
        pins |= kind.wheels.get("3.11", {})  # none for one that no index has
    ours = {normal(name): version for name, version in pins.items()}
    assert {"onnxruntime", "ai-edge-litert", "numpy"} <= ours.keys()
    assert {name: pinned.get(name) for name in ours} == ours


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
@pytest.mark.parametrize("engine", ["litert", "onnx"])
def test_every_python_has_a_set(engine: str, python: str) -> None:
    lines = wheel_set(load_board("pi4"), engine, python).lines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert wanted[0] == f"edge-vc-runtime[{engine}]=={__version__}"
    assert all(re.fullmatch(r"[\w.-]+==[\d.]+", line) for line in wanted[1:])
    package = {"litert": "ai-edge-litert", "onnx": "onnxruntime"}[engine]
    assert {package, "numpy"} <= {line.split("==")[0] for line in wanted}


def test_a_set_says_how_it_is_fetched() -> None:
    chosen = wheel_set(load_board("pi5"))
    text = "\n".join(chosen.lines())
    assert "Raspberry Pi 5: Raspberry Pi OS 12 (Bookworm), 64 bit, Python 3.11, glibc 2.36" in text
    assert "edge-vc wheels BOARD --into FOLDER" in text
    wanted = {"--platform=manylinux_2_28_aarch64", "--python-version=3.11", "--only-binary=:all:"}
    assert wanted <= set(chosen.pip_options())


def test_platform_tags_follow_glibc() -> None:
    assert platform_tags("2.36")[0] == "manylinux_2_28_aarch64"
    assert platform_tags("2.27") == (
        "manylinux_2_27_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("board", "engine", "python", "complaint"),
    [
        ("nano", None, None, "nano: Python 3.6 is too old, edge-vc-runtime needs 3.10 or later"),
        (
            "orin-nano",
            None,
            "3.8",
            "orin-nano: Python 3.8 is too old, edge-vc-runtime needs 3.10 or later",
        ),
        ("pi4", "cuda", None, "no engine 'cuda', choose from litert, onnx"),
        (
            "pi4",
            None,
            "3.99",
            "engine litert: no wheels known for Python 3.99, only for 3.10, 3.11, ",
        ),
        ("pi4", None, "new", "python is 'new', it has to be like 3.11"),
    ],
)
def test_what_has_no_wheels_is_refused(
    board: str, engine: str | None, python: str | None, complaint: str
) -> None:
    with pytest.raises(BoardError) as error:
        wheel_set(load_board(board), engine, python)
    assert str(error.value).startswith(complaint)
    assert "\n" not in str(error.value)


@pytest.fixture
def plain() -> Iterator[EngineKind]:
    """An engine of another distribution that exists for Python 3.11 alone."""

    def load() -> EngineFactory:
        raise ModuleNotFoundError(name="plainlib")

    kind = EngineKind(
        name="plain",
        formats=("onnx",),
        libraries=(EngineLibrary("plainlib"),),
        load=load,
        remedy="pip install plainlib",
        wheels={"3.11": {"plainlib": "3.2.1"}},
    )
    register_engine(kind)
    yield kind
    unregister_engine("plain")


def test_a_registered_engine_has_a_set(plain: EngineKind) -> None:
    lines = wheel_set(load_board("pi4"), "plain").lines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert wanted[0] == f"edge-vc-runtime=={__version__}"
    assert {"numpy==2.4.6", "plainlib==3.2.1", "soxr==1.1.0"} <= set(wanted)
    with pytest.raises(BoardError, match=r"engine plain: no wheels .* 3\.13, only for 3\.11"):
        wheel_set(load_board("pi4"), "plain", "3.13")


def test_a_registered_engine_can_be_a_boards_own(plain: EngineKind) -> None:
    text = (resources.files("edge_vc_boards") / "profiles" / "pi4.toml").read_text()
    assert read_profile(text.replace('engine = "litert"', 'engine = "plain"')).defaults == (
        replace(load_board("pi4").defaults, engine="plain")
    )


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["litert", "onnx"])
@pytest.mark.parametrize(
    ("board", "python"),
    [("pi4", "3.11"), ("pi5", "3.13"), ("orin-nano", "3.10"), ("agx-orin", "3.12")],
)
def test_the_set_resolves_for_the_board(
    board: str, python: str, engine: str, project_root: Path, tmp_path: Path
) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*build, f"--wheel-dir={tmp_path}", project_root / "runtimes"], check=True)
    chosen = wheel_set(load_board(board), engine, python)
    listed, report = tmp_path / "requirements.txt", tmp_path / "report.json"
    listed.write_text("\n".join(chosen.lines()) + "\n")
    command = [*pip, "install", "--quiet", "--dry-run", "--ignore-installed", "--report", report]
    command += ["--target", tmp_path / "none", "--find-links", tmp_path, "--requirement", listed]
    done = subprocess.run([*command, *chosen.pip_options()], capture_output=True, text=True)
    if done.returncode and _NO_INDEX.search(done.stderr):
        pytest.skip("no package index within reach")
    assert done.returncode == 0, done.stderr
    wheels = [item["download_info"]["url"] for item in json.loads(report.read_text())["install"]]
    pinned = [line for line in chosen.lines() if not line.startswith("#")]
    assert len(wheels) == len(pinned), "the list leaves nothing to the resolver"
    assert all(url.endswith(("aarch64.whl", "-none-any.whl")) for url in wheels)
