"""What `make` installs is pinned, and what CI runs a reader can run."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path


def pins(root: Path) -> dict[str, str]:
    lines = (root / "constraints.txt").read_text().splitlines()
    found = [line.split("==") for line in lines if line and not line.startswith("#")]
    assert all(len(pin) == 2 for pin in found), "every line is name==version"
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_every_dependency_has_an_exact_version(project_root: Path) -> None:
    document = tomllib.loads((project_root / "pyproject.toml").read_text())
    runtime = tomllib.loads((project_root / "runtimes" / "pyproject.toml").read_text())["project"]
    extras = runtime["optional-dependencies"]
    wanted = [
        *document["project"]["dependencies"],
        *document["project"]["optional-dependencies"]["evaluate"],
        *document["project"]["optional-dependencies"]["prepare"],
        *document["project"]["optional-dependencies"]["whisper"],
        *document["project"]["optional-dependencies"]["tensorboard"],
        *document["project"]["optional-dependencies"]["serve"],
        *document["project"]["optional-dependencies"]["asr"],
        *document["dependency-groups"]["dev"],
        *runtime["dependencies"],
        *extras["onnx"],
        *extras["audio"],
        *extras["metrics"],
        *extras["live"],
        *extras["sounddevice"],
        "pip",
        "setuptools",
    ]
    pinned = pins(project_root)
    names = {re.match(r"[\w.-]+", line)[0].lower().replace("_", "-") for line in wanted}
    assert names - {"edge-vc-runtime"} - set(pinned) == set()


def test_pins_that_the_toolchain_needs(project_root: Path) -> None:
    pinned = pins(project_root)
    assert pinned["torch"] == "2.13.0"
    assert int(pinned["setuptools"].split(".")[0]) < 81
    assert tuple(map(int, pinned["numpy"].split(".")[:2])) < (2, 5)
    first = next(
        line
        for line in (project_root / "constraints.txt").read_text().splitlines()
        if not line.startswith("#")
    )
    assert first.startswith("torch==")


def test_ci_runs_what_the_pages_name(project_root: Path) -> None:
    script = (project_root / ".ci" / "run").read_text()
    commands = re.findall(r"^make (\S+)", script, re.M)
    assert commands == ["check", "test", "test-board"]
    pages = [(project_root / name).read_text() for name in ("README.md", "CONTRIBUTING.md")]
    targets = (project_root / "Makefile").read_text()
    for command in commands:
        assert any(f"make {command}\n" in page or f"make {command} " in page for page in pages)
        assert f"\n{command}: " in targets
