"""The exact wheels that a board needs, so that they can be fetched here and copied to it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from edge_vc_boards.board import Board, BoardError, System
from edge_vc_runtime import __version__
from edge_vc_runtime.engines import EngineKind, engine_kinds

OLDEST_PYTHON = (3, 10)
"""The ``requires-python`` of `edge-vc-runtime`."""
_GLIBC_TAGS = (28, 27, 17)
"""glibc 2.x versions of the manylinux tags in use, newest first."""


@dataclass(frozen=True)
class WheelSet:
    """Pinned requirements and the arguments that make pip fetch them for another machine."""

    board: Board
    system: System
    python: str
    engine: EngineKind
    requirements: tuple[str, ...]
    """numpy and the engine, all pinned."""
    audio: tuple[str, ...] = ()
    """Packages that read, write and resample recordings."""
    sounddevice: tuple[str, ...] = ()
    """Packages for live audio if there is no PyAudio."""

    def pip_options(self) -> tuple[str, ...]:
        """Return options for ``pip download`` and ``pip install --target``."""
        options = [f"--python-version={self.python}", "--only-binary=:all:"]
        tags = platform_tags(self.system.glibc, self.board.arch)
        options += [f"--platform={tag}" for tag in tags]
        return tuple(options)

    def lines(self) -> tuple[str, ...]:
        """Return a requirements file, with usage comments, as lines."""
        extra = f"[{self.engine.extra}]" if self.engine.extra else ""
        return (
            f"# {self.board.title}: {self.system.name}, Python {self.python}, "
            f"glibc {self.system.glibc}, engine {self.engine.name}",
            "# edge-vc wheels BOARD --into FOLDER collects them for a board without a network, "
            "PyAudio as well.",
            f"edge-vc-runtime{extra}=={__version__}",
            *sorted({*self.requirements, *self.audio}, key=str.lower),
        )


def wheel_set(
    board: Board,
    engine: str | None = None,
    python: str | None = None,
    system: str | None = None,
) -> WheelSet:
    """Return what a board needs for one engine.

    ``engine`` and ``system`` (``trixie``) default to the board's own, ``python`` (``3.13``) to the
    system's. Raises `BoardError`, one line, for a Python that is too old or an engine without
    wheels.
    """
    row = board.system_named(system)
    python = python or row.python
    engine = engine or board.defaults.engine
    _check_python(board, python)
    engines = engine_kinds()
    if engine not in engines:
        raise BoardError(f"no engine {engine!r:.60}, choose from {', '.join(engines)}")
    kind = engines[engine]
    document = _pins()
    everywhere: dict[str, str] = document["numpy"]
    known = [each for each in everywhere if each in kind.wheels]
    if python not in known:
        raise BoardError(
            f"engine {engine}: no wheels known for Python {python:.20}, only for "
            f"{', '.join(known) or 'none: ' + kind.remedy}"
        )
    pins = {"numpy": everywhere[python], **kind.wheels[python]}
    audio = document["audio"] | document["audio-of"].get(python, {})
    return WheelSet(
        board, row, python, kind, _lines(pins), _lines(audio), _lines(document["sounddevice"])
    )


def _lines(pins: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}=={pins[name]}" for name in sorted(pins, key=str.lower))


def _pins() -> dict[str, Any]:
    """Return the pinned versions outside the engines: numpy by Python, and the audio packages."""
    folder = resources.files("edge_vc_boards") / "wheels"
    return tomllib.loads((folder / "pins.toml").read_text("utf-8"))


def platform_tags(glibc: str, arch: str = "aarch64") -> tuple[str, ...]:
    """Return pip's platform tags for an architecture and glibc (``2.36``), newest first."""
    minor = int(glibc.split(".")[1])
    tags = [f"manylinux_2_{tag}_{arch}" for tag in _GLIBC_TAGS if tag <= minor]
    return (*tags, f"manylinux2014_{arch}")


def _check_python(board: Board, python: str) -> None:
    """Reject a Python older than the runtime supports."""
    major, _, minor = python.partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        raise BoardError(f"python is {python!r:.20}, it has to be like 3.11")
    if (int(major), int(minor)) < OLDEST_PYTHON:
        raise BoardError(
            f"{board.name}: Python {python} is too old, edge-vc-runtime needs "
            f"{OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or later (JetPack 4 has 3.6, JetPack 5 has "
            "3.8): install a newer one beside it and name its version"
        )
