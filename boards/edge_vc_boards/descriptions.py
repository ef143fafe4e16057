"""Descriptions of boards as text with units, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from edge_vc_boards.board import Board, Cpu, System
from edge_vc_boards.profile_folder import profile_path
from edge_vc_runtime.message import one_line, printable


def board_table(boards: Iterable[Board]) -> list[str]:
    """Return one line per board: name, processor, systems and defaults."""
    rows = [("name", "board", "processor", "systems (Python)", "default")]
    rows += [
        (
            board.name,
            board.title,
            _processor(board.cpu) if board.cpu else board.arch,
            ", ".join(f"{system.key} ({system.python})" for system in board.systems),
            f"{board.defaults.engine} {board.defaults.precision}",
        )
        for board in boards
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [printable("  ".join(map(str.ljust, row, widths)).rstrip()) for row in rows]


def describe_board(board: Board) -> list[str]:
    """Return a board's profile, one fact per line, with units and sources."""
    defaults, sensors = board.defaults, board.sensors
    limits = ", ".join(f"{limit:g} °C" for limit in sensors.throttle_c) or "not published"
    facts = {
        "board": board.title,
        "recognised by": " or ".join(board.models) or "nothing: a generic profile",
        **(_cpu_facts(board.cpu, board.arch) if board.cpu else {"processor": board.arch}),
        **{f"system {system.key}": _system(system) for system in board.systems},
        "default": f"{board.system.key}, {defaults.engine} {defaults.precision}, "
        f"threads: {defaults.threads}",
        "temperature": sensors.temperature,
        "throttling": sensors.throttled or "not readable",
        "tools": ", ".join(sensors.tools) or "none",
        "clock falls at": limits,
        "emulated as": f"QEMU's {board.emulation.cpu}" if board.emulation else "not emulated",
        "profile": profile_path(board.name),
        **{f"source of {source.of}": source.title for source in board.sources},
    }
    width = max(map(len, facts)) + 2
    lines = [f"  {name + ':':<{width}}{one_line(value)}" for name, value in facts.items()]
    return [board.name, *map(printable, lines)]


def _processor(cpu: Cpu) -> str:
    return f"{cpu.cores} x {cpu.core}, {cpu.clock_mhz} MHz"


def _cpu_facts(cpu: Cpu, arch: str) -> dict[str, str]:
    l2 = "shared" if cpu.l2_shared else "per core"
    copy = " to ".join(map(str, cpu.memcpy_mb_per_s))
    return {
        "processor": f"{cpu.cores} x {cpu.core} ({arch}), {cpu.clock_mhz} MHz",
        "instructions": " ".join(cpu.features),
        "8-bit dot product": "yes" if cpu.dot_product else "no",
        "caches": f"L1d {cpu.l1d_kb} kB per core, L2 {cpu.l2_kb} kB {l2}, L3 {cpu.l3_kb} kB",
        "memory copy": f"{copy} MB/s, one core" if copy else "not published",
    }


def _system(system: System) -> str:
    jetson = [f"Jetson Linux {system.tegra_release}"] * bool(system.tegra_release)
    jetson += [f"CUDA {system.cuda}"] * bool(system.cuda)
    facts = (f"Python {system.python}", f"glibc {system.glibc}", *jetson)
    return f"{system.name}, {', '.join(facts)}"
