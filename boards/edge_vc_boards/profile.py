"""Profiles of boards as TOML, read as untrusted input: a user's may come from anywhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

from edge_vc_boards.board import Board, BoardError
from edge_vc_runtime.engines import engine_kinds
from edge_vc_runtime.schema.fields import FieldError
from edge_vc_runtime.schema.records import from_json_value

PROFILE_LIMIT = 1 << 16
"""Maximum size of a profile in bytes."""
BOARD_NAME = r"[a-z][a-z0-9-]{0,31}"
_TEXT_LIMIT = 300  # characters
_ENTRIES = 64


def read_profile(text: str) -> Board:
    """Parse and validate a profile; raises `BoardError` with the key and the problem."""
    if len(text) > PROFILE_LIMIT:
        raise BoardError(f"is longer than {PROFILE_LIMIT} characters")
    try:
        board = from_json_value(Board, _with_source_list(tomllib.loads(text)))
    except (tomllib.TOMLDecodeError, FieldError) as error:
        raise BoardError(" ".join(str(error).split())[:_TEXT_LIMIT]) from error
    except RecursionError as error:
        raise BoardError("is nested too deeply") from error
    _check_rules(_cpu_rules(board) | _system_rules(board) | _rules(board))
    engine, engines = board.defaults.engine, engine_kinds()
    if engine not in engines:
        raise BoardError(
            f"defaults.engine is {engine!r:.60}, it has to be one of {', '.join(engines)}"
        )
    return board


def _with_source_list(document: dict[str, object]) -> dict[str, object]:
    """Reject long or unprintable texts and long lists; convert ``[sources]`` to a list."""
    for where, value in _leaves(document, ""):
        if isinstance(value, str) and (len(value) > _TEXT_LIMIT or not value.isprintable()):
            raise BoardError(f"{where:.100} has to be {_TEXT_LIMIT} printable characters at most")
        if isinstance(value, list) and len(value) > _ENTRIES:
            raise BoardError(f"{where:.100} has more than {_ENTRIES} entries")
    sources = document.get("sources", {})
    if not isinstance(sources, dict):
        raise BoardError("sources has to be a table: what is stated, and what it is taken from")
    return document | {"sources": [{"of": key, "title": title} for key, title in sources.items()]}


def _leaves(value: object, where: str) -> Iterator[tuple[str, object]]:
    """Yield every list, value and key with its dotted name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield f"a key of {where or 'the profile'}", key
            yield from _leaves(inner, f"{where}.{key}".lstrip("."))
        return
    yield where, value
    if isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, where)


def _check_rules(rules: dict[str, object]) -> None:
    for rule, kept in rules.items():
        if not kept:
            key, _, words = rule.partition(", ")
            raise BoardError(f"{key} has to be {words}")


def _rules(board: Board) -> dict[str, object]:
    """Return whether values of the right type satisfy each constraint, by key and description."""
    sensors = (board.sensors.temperature, board.sensors.throttled)
    emulated = board.emulation
    return {
        "name, lower-case letters, digits and hyphens": re.fullmatch(BOARD_NAME, board.name),
        "models, parts of full_model": all(len(part) > 3 for part in board.models)
        and any(part in board.full_model for part in board.models) == bool(board.full_model)
        and bool(board.models) == bool(board.full_model),
        "sensors, paths in /sys or /proc": all(
            re.fullmatch(r"(/(sys|proc)/[\w.:/-]+)?", path) and ".." not in path for path in sensors
        ),
        "sensors.tools, names of commands": all(
            re.fullmatch(r"[\w.-]+", tool) for tool in board.sensors.tools
        ),
        "defaults.threads, 1 to cpu.cores": 1
        <= board.defaults.threads
        <= (board.cpu.cores if board.cpu else 64),
        "emulation.cpu, a QEMU core": emulated is None or re.fullmatch(r"[a-z0-9-]+", emulated.cpu),
        "emulation, of a board with a cpu": emulated is None or board.cpu is not None,
    }


def _system_rules(board: Board) -> dict[str, object]:
    keys = [system.key for system in board.systems]
    return {
        "systems, at least one, each with a key of its own": keys and len(set(keys)) == len(keys),
        **{
            f"systems.{rule}": all(
                re.fullmatch(pattern, getattr(each, key)) for each in board.systems
            )
            for key, rule, pattern in (
                ("key", "key, lower-case letters and digits", r"[a-z][a-z0-9-]{0,31}"),
                ("python", "python, like 3.11", r"3\.\d{1,2}"),
                ("glibc", "glibc, like 2.36", r"2\.\d{1,2}"),
                ("tegra_release", "tegra_release, like R36", r"(R\d{1,3})?"),
                ("cuda", "cuda, like 12", r"(\d{1,2})?"),
            )
        },
    }


def _cpu_rules(board: Board) -> dict[str, object]:
    cpu = board.cpu
    if cpu is None:
        return {}
    return {
        "cpu.cores, 1 to 64": 1 <= cpu.cores <= 64,
        "cpu.clock_mhz, 100 to 10000": 100 <= cpu.clock_mhz <= 10_000,
        "cpu.part, 12 bits": 0 <= cpu.part < 1 << 12,
        "cpu.variant and cpu.revision, 4 bits": 0 <= cpu.variant | cpu.revision < 16,
        "cpu.memcpy_mb_per_s, lowest and highest, or nothing": len(cpu.memcpy_mb_per_s) in (0, 2),
        "cpu.l1d_kb, cpu.l2_kb and cpu.l3_kb, 0 to 1000000": all(
            0 <= size <= 1_000_000 for size in (cpu.l1d_kb, cpu.l2_kb, cpu.l3_kb)
        ),
    }
