"""Every code block of the README runs."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Block:
    language: str
    text: str

    def __str__(self) -> str:
        return self.text.strip().splitlines()[0][:50] if self.text.strip() else "empty"


BLOCKS = [Block(*found) for found in BLOCK.findall((ROOT / "README.md").read_text())]


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like a fresh clone, with a recording in it; blocks run in it, in order."""
    import pysptk

    folder = tmp_path_factory.mktemp("readme")
    for name in ("edge_vc", "export", "boards", "runtimes", "Makefile", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "constraints.txt").symlink_to(ROOT / "constraints.txt")
    speech = Path(pysptk.util.example_audio_file()).read_bytes()
    (folder / "me.wav").write_bytes(speech)
    (folder / "recordings").mkdir()
    (folder / "recordings" / "me.wav").write_bytes(speech)
    return folder


def run(arguments: list[str], folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    path = f"{BIN}:/usr/local/bin:/usr/bin:/bin"
    return subprocess.run(
        arguments,
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "OMP_NUM_THREADS": "1"},
        input=text,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_there_are_blocks_of_every_kind() -> None:
    assert {"sh", "python", "text"} <= {block.language for block in BLOCKS}


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "sh"], ids=str)
def test_shell_block_runs(block: Block, workplace: Path) -> None:
    # `make` would build an environment and run this very suite: its recipes are only resolved.
    # What they call has tests of its own (the quick start's is marked slow).
    script = re.sub(r"^make ", "make -n ", block.text, flags=re.MULTILINE)
    done = run(["bash", "-euo", "pipefail", "-c", script], workplace)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "python"], ids=str)
def test_python_block_runs(block: Block, workplace: Path) -> None:
    done = run(
        [sys.executable, "-W", "error::DeprecationWarning:__main__", "-"], workplace, block.text
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "toml"], ids=str)
def test_recipe_block_is_a_recipe(block: Block) -> None:
    from edge_vc.compress.recipe import Recipe

    assert Recipe.from_toml(block.text).to_dict()
