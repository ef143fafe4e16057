"""Every example runs, and every block of the documentation that says it can be run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SLOW = {"compress_recipe.py"}
ARGUMENTS = {"convert_file.py": ["me.wav", "out.wav"]}
PAGES = sorted(
    p for folder in ("tutorials", "concepts") for p in (ROOT / "docs" / folder).glob("*.md")
)
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RECIPE = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a recording, as a reader has it."""
    import pysptk

    folder = tmp_path_factory.mktemp("examples")
    speech = Path(pysptk.util.example_audio_file()).read_bytes()
    (folder / "me.wav").write_bytes(speech)
    (folder / "recordings").mkdir()
    (folder / "recordings" / "me.wav").write_bytes(speech)
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    paths = [ROOT, ROOT / "export", ROOT / "boards", ROOT / "runtimes"]
    environment = {
        "PATH": f"{BIN}:/usr/bin:/bin",
        "HOME": str(folder),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": ":".join(map(str, paths)),
    }
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )


def cases(paths: list[Path]) -> list[object]:
    return [
        pytest.param(path, marks=[pytest.mark.slow] * (path.name in SLOW), id=path.stem)
        for path in paths
    ]


@pytest.mark.parametrize("path", cases(EXAMPLES))
def test_example_runs(path: Path, workplace: Path) -> None:
    done = run([sys.executable, str(path), *ARGUMENTS.get(path.name, [])], workplace)
    assert done.returncode == 0, done.stderr[-2000:]


BLOCKS = [
    pytest.param(text, id=f"{path.stem}-{number}")
    for path in PAGES
    for number, text in enumerate(BLOCK.findall(path.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize("text", BLOCKS)
def test_shell_block_of_the_documentation_runs(text: str, workplace: Path) -> None:
    done = run(["bash", "-euo", "pipefail", "-c", text], workplace)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_recipes_of_the_documentation_are_recipes(path: Path) -> None:
    from edge_vc.compress.recipe import Recipe

    for text in RECIPE.findall(path.read_text(encoding="utf-8")):
        assert Recipe.from_toml(text).to_dict()
