"""Boards in words and units, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources

from edge_vc_boards.board import Board


def board_table(boards: Iterable[Board]) -> list[str]:
    """Return one line per board: name, processor, system and what runs by default."""
    rows = [("name", "board", "processor", "Python", "glibc", "default")]
    rows += [
        (
            board.name,
            board.title,
            f"{board.cpu.cores} x {board.cpu.core}, {board.cpu.clock_mhz} MHz",
            board.system.python,
            board.system.glibc,
            f"{board.defaults.engine} {board.defaults.precision}",
        )
        for board in boards
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def describe_board(board: Board) -> list[str]:
    """Return a board's profile, one fact per line with its unit, and the file it is read from."""
    cpu, system, defaults, sensors = board.cpu, board.system, board.defaults, board.sensors
    low, high = cpu.memcpy_mb_per_s
    l2 = "shared" if cpu.l2_shared else "per core"
    limits = ", ".join(f"{limit:g} °C" for limit in sensors.throttle_c) or "not published"
    facts = {
        "board": board.title,
        "recognised by": " or ".join(board.models),
        "processor": f"{cpu.cores} x {cpu.core} ({board.arch}), {cpu.clock_mhz} MHz",
        "instructions": " ".join(cpu.features),
        "8-bit dot product": "yes" if cpu.dot_product else "no",
        "caches": f"L1d {cpu.l1d_kb} kB per core, L2 {cpu.l2_kb} kB {l2}, L3 {cpu.l3_kb} kB",
        "memory copy": f"{low} to {high} MB/s, one core",
        "system": f"{system.name}, Python {system.python}, glibc {system.glibc}",
        "default": f"{defaults.engine} {defaults.precision}, threads: {defaults.threads}",
        "temperature": sensors.temperature,
        "throttling": sensors.throttled or "not readable",
        "tools": ", ".join(sensors.tools) or "none",
        "clock falls at": limits,
        "emulated as": f"QEMU's {board.emulation.cpu}",
        "source": str(resources.files("edge_vc_boards") / "profiles" / f"{board.name}.toml"),
    }
    width = max(map(len, facts)) + 2
    return [board.name, *(f"  {name + ':':<{width}}{value}" for name, value in facts.items())]
