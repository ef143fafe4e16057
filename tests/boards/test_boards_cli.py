"""The verb prints boards in words and units, and the wheels for one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_vc.cli import app
from edge_vc_boards.profile import read_profile
from edge_vc_boards.profile_folder import board_names, load_board


def invoke(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["boards", *arguments])
    return done.exit_code, done.output


def invoke_wheels(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["wheels", *arguments])
    return done.exit_code, done.output


def test_every_board_is_a_line() -> None:
    code, output = invoke()
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == ["name", *board_names()]
    assert "4 x Cortex-A72, 1500 MHz" in output
    assert "bookworm (3.11), trixie (3.13)" in output


@pytest.mark.parametrize("name", board_names())
def test_a_profile_has_units_and_its_source(name: str) -> None:
    code, output = invoke(name)
    board = load_board(name)
    assert code == 0
    cpu = board.cpu
    facts = [f"{cpu.clock_mhz} MHz", f"L2 {cpu.l2_kb} kB"] if cpu else [board.arch]
    facts += [f"to {cpu.memcpy_mb_per_s[1]} MB/s"] if cpu and cpu.memcpy_mb_per_s else []
    facts += [f"{each.name}, Python {each.python}, glibc {each.glibc}" for each in board.systems]
    facts += [source.title for source in board.sources]
    facts += [f"{board.defaults.engine} {board.defaults.precision}, threads: "]
    path = invoke(name, "--path")[1].strip()
    assert load_board(name) == read_profile(Path(path).read_text())
    for fact in (*facts, path):
        assert fact in output


def test_the_wheels_of_a_board_are_listed() -> None:
    code, output = invoke_wheels("pi4")
    assert code == 0
    assert "edge-vc-runtime[litert]==" in output
    assert "ai-edge-litert==" in output
    assert "onnxruntime" not in output
    assert "onnxruntime==" in invoke_wheels("pi4", "--engine", "onnx")[1]
    assert "Python 3.13, glibc 2.41" in invoke_wheels("pi4", "--system", "trixie")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pi9"], "no board 'pi9'; did you mean pi"),
        (["pi4", "--system", "buster"], "pi4: no system 'buster', choose from bookworm, trixie"),
        (["pi4", "--python", "2.7"], "Python 2.7 is too old"),
        (["nano"], "nano: Python 3.6 is too old"),
        (["pi4", "--engine", "cuda"], "no engine 'cuda'"),
    ],
    ids=["board", "system", "python", "jetpack 4", "engine"],
)
def test_wheels_of_something_unknown_are_refused(arguments: list[str], words: str) -> None:
    code, output = invoke_wheels(*arguments)
    assert (code, output.count("\n")) == (2, 1)
    assert words in output
