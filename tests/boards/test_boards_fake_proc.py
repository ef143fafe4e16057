"""A fake ``/proc`` looks like its board to the runtime and to the libraries that read the CPU."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_vc_boards.board import BoardError
from edge_vc_boards.emulation.fake_proc import write_fake_proc
from edge_vc_boards.profile_folder import board_names, load_board
from edge_vc_runtime.profiling.machine import detect_environment, read_machine
from edge_vc_runtime.sensors import read_sensors

EMULATED = [name for name in board_names() if load_board(name).emulation]


@pytest.mark.parametrize("name", EMULATED)
def test_the_runtime_takes_it_for_the_board(name: str, tmp_path: Path) -> None:
    board = load_board(name)
    write_fake_proc(board, tmp_path)
    cpu, _ = board.processor()
    assert detect_environment(tmp_path) == "board"
    assert read_machine(tmp_path).model == board.full_model
    assert read_machine(tmp_path).cpu == f"Arm part {cpu.part:#05x}"
    assert read_sensors(tmp_path).frequency_mhz == cpu.clock_mhz


@pytest.mark.parametrize(
    ("name", "midr"),
    [("pi3", 0x410FD034), ("pi4", 0x410FD083), ("pi5", 0x414FD0B1), ("nano", 0x411FD071)],
)
def test_the_main_id_is_the_one_that_the_chip_has(name: str, midr: int, tmp_path: Path) -> None:
    write_fake_proc(load_board(name), tmp_path)
    cpu = tmp_path / "sys/devices/system/cpu"
    assert int((cpu / "cpu0/regs/identification/midr_el1").read_text(), 16) == midr
    assert (cpu / "online").read_text() == "0-3\n"
    assert not (cpu / "cpu4").exists()


def test_a_generic_machine_is_not_emulated(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="generic-arm64 describes no processor"):
        write_fake_proc(load_board("generic-arm64"), tmp_path)


def test_every_core_lists_its_features(tmp_path: Path) -> None:
    board = load_board("pi5")
    write_fake_proc(board, tmp_path)
    text = (tmp_path / "proc/cpuinfo").read_text()
    assert text.count("processor\t:") == 4
    assert text.count("asimddp") == 4
    assert (tmp_path / "proc/self").readlink() == Path("/run/proc/self")
