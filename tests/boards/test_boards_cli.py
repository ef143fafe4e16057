"""The verb prints boards in words and units, and the wheels for one of them."""

from __future__ import annotations

from importlib import resources

import pytest
from typer.testing import CliRunner

from edge_vc.cli import app
from edge_vc_boards.board import board_names, load_board


def invoke(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["boards", *arguments])
    return done.exit_code, done.output


def test_every_board_is_a_line() -> None:
    code, output = invoke()
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == ["name", *board_names()]
    assert "4 x Cortex-A72, 1500 MHz" in output


@pytest.mark.parametrize("name", board_names())
def test_a_profile_has_units_and_its_source(name: str) -> None:
    code, output = invoke(name)
    board = load_board(name)
    assert code == 0
    for fact in (
        f"{board.cpu.clock_mhz} MHz",
        f"L2 {board.cpu.l2_kb} kB",
        f"to {board.cpu.memcpy_mb_per_s[1]} MB/s",
        f"glibc {board.system.glibc}",
        f"{board.defaults.engine} {board.defaults.precision}, threads: {board.defaults.threads}",
        str(resources.files("edge_vc_boards") / "profiles" / f"{name}.toml"),
    ):
        assert fact in output


def test_the_wheels_of_a_board_are_listed() -> None:
    code, output = invoke("pi4", "--wheels")
    assert code == 0
    assert "edge-vc-runtime[litert]==" in output
    assert "ai-edge-litert==" in output
    assert "onnxruntime" not in output

    code, output = invoke("pi4", "--wheels", "--engine", "onnx")
    assert "onnxruntime==" in output

    code, output = invoke("pi9", "--wheels")
    assert (code, output.count("\n")) == (2, 1)
    assert output.startswith("edge-vc boards: error: no board 'pi9'")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--wheels"], "--wheels needs a board: one of nano"),
        (["pi4", "--engine", "onnx"], "belong to --wheels"),
        (["pi4", "--wheels", "--python", "2.7"], "Python 2.7 is too old"),
    ],
    ids=["no board", "no wheels", "old python"],
)
def test_options_that_do_not_go_together_are_refused(arguments: list[str], words: str) -> None:
    code, output = invoke(*arguments)
    assert (code, output.count("\n")) == (2, 1)
    assert words in output
