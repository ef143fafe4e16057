"""A board as data: what it is, what runs on it, and how it is emulated."""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal

from edge_vc_runtime.engines import engine_kinds
from edge_vc_runtime.schema.fields import FieldError
from edge_vc_runtime.schema.records import from_json_value


class BoardError(ValueError):
    """A board that is not known or a profile that is not valid; one line."""


@dataclass(frozen=True)
class Cpu:
    """The cores, as the kernel and their maker describe them."""

    core: str
    """Name of the design, e.g. ``Cortex-A72``."""
    cores: int
    clock_mhz: int
    """Highest clock without overclocking."""
    features: tuple[str, ...]
    """As in ``/proc/cpuinfo``; ``asimddp`` is the dot product, ``i8mm`` the matrix product."""
    part: int
    """Arm's number of the design, with variant and revision: libraries choose kernels by it."""
    variant: int
    revision: int
    l1d_kb: int
    """Of one core."""
    l2_kb: int
    l2_shared: bool
    """Whether all cores share the L2; otherwise each has ``l2_kb`` of its own."""
    l3_kb: int
    """0 where there is none."""
    memcpy_mb_per_s: tuple[int, ...]
    """Lowest and highest published figure of one core's memcpy (sbc-bench)."""

    @property
    def dot_product(self) -> bool:
        """Whether four 8-bit products are one instruction."""
        return "asimddp" in self.features


@dataclass(frozen=True)
class System:
    """The operating system that the board's users have."""

    name: str
    python: str
    """Its own Python, e.g. ``3.11``."""
    glibc: str


@dataclass(frozen=True)
class Defaults:
    """What runs unless a user asks for something else."""

    engine: str
    """A registered engine's name; see `edge_vc_runtime.engines`."""
    precision: Literal["fp32", "int8"]
    threads: int


@dataclass(frozen=True)
class SensorPaths:
    """Where heat and throttling can be read."""

    temperature: str
    """File with thousandths of a degree."""
    throttled: str
    """File with the firmware's throttling bits; empty where there is none."""
    tools: tuple[str, ...]
    """Commands that know more."""
    throttle_c: tuple[float, ...]
    """Degrees at which clocks fall, the first limit first; empty where none is published."""


@dataclass(frozen=True)
class Emulation:
    """How the board is stood in for."""

    cpu: str
    """QEMU's nearest core."""


@dataclass(frozen=True)
class Board:
    """One kind of board."""

    name: str
    title: str
    arch: Literal["aarch64"]
    models: tuple[str, ...]
    """Parts of ``/proc/device-tree/model`` by which it is recognised."""
    full_model: str
    """The whole of that file on one such board."""
    cpu: Cpu
    system: System
    defaults: Defaults
    sensors: SensorPaths
    emulation: Emulation

    @classmethod
    def from_toml(cls, text: str) -> Board:
        """Parse and validate; raises `BoardError` with the key and what is wrong with it."""
        try:
            board = from_json_value(cls, tomllib.loads(text))
        except (tomllib.TOMLDecodeError, FieldError) as error:
            raise BoardError(" ".join(str(error).split())) from error
        _check(board)
        return board


def board_names() -> tuple[str, ...]:
    """Names of the known boards, sorted."""
    names = (entry.name for entry in _profiles().iterdir())
    return tuple(sorted(name[:-5] for name in names if name.endswith(".toml")))


def load_board(name: str) -> Board:
    """Read a board's profile; raises `BoardError` that lists the names."""
    known = board_names()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        raise BoardError(f"no board {name!r:.60}; {guess}known are {', '.join(known)}")
    try:
        return Board.from_toml((_profiles() / f"{name}.toml").read_text(encoding="utf-8"))
    except BoardError as error:
        raise BoardError(f"{name}.toml: {error}") from error


def load_boards() -> tuple[Board, ...]:
    """Read every profile, by name."""
    return tuple(load_board(name) for name in board_names())


def _profiles() -> Traversable:
    return resources.files("edge_vc_boards") / "profiles"


def _check(board: Board) -> None:
    """Refuse values of the right type that no board can have."""
    engine, engines = board.defaults.engine, engine_kinds()
    if engine not in engines:
        raise BoardError(
            f"defaults.engine is {engine!r:.60}, it has to be one of {', '.join(engines)}"
        )
    rules = {
        "name, lower-case letters and digits": re.fullmatch(r"[a-z][a-z0-9]*", board.name),
        "models, parts of full_model": any(part in board.full_model for part in board.models),
        "cpu.cores, 1 to 64": 1 <= board.cpu.cores <= 64,
        "cpu.clock_mhz, 100 to 10000": 100 <= board.cpu.clock_mhz <= 10_000,
        "cpu.part, 12 bits": 0 <= board.cpu.part < 1 << 12,
        "cpu.variant and cpu.revision, 4 bits": 0 <= board.cpu.variant | board.cpu.revision < 16,
        "cpu.memcpy_mb_per_s, lowest and highest": len(board.cpu.memcpy_mb_per_s) == 2,
        "system.python, like 3.11": re.fullmatch(r"3\.\d{1,2}", board.system.python),
        "system.glibc, like 2.36": re.fullmatch(r"2\.\d{1,2}", board.system.glibc),
        "defaults.threads, 1 to cpu.cores": 1 <= board.defaults.threads <= board.cpu.cores,
        "emulation.cpu, a QEMU core": re.fullmatch(r"[a-z0-9-]+", board.emulation.cpu),
    }
    for rule, kept in rules.items():
        if not kept:
            key, _, words = rule.partition(", ")
            raise BoardError(f"{key} has to be {words}")
