"""The options of ``run`` for keys and the control socket."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.control.place import default_place


@dataclass(frozen=True)
class ControlOptions:
    """How a live run can be controlled."""

    keys: bool = True
    socket: Path | None = None
    """Path of the socket; None for none."""
    asked: bool = False
    """Whether the path was given explicitly; if so, a failure ends the run."""

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> ControlOptions:
        """Take the parsed options; without ``--control``, use the user's default path."""
        given = arguments.control
        place = default_place() if given is None else Path(given) if given else None
        return cls(arguments.keys, place, bool(given))


def add_control_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--keys`` and ``--control``."""
    group = parser.add_argument_group("control (live)")
    group.add_argument(
        "--keys", action=argparse.BooleanOptionalAction, default=True,
        help="single keys change the voice during the run, ? lists them (default: on if stdin is a "
        "terminal)",
    )  # fmt: skip
    group.add_argument(
        "--control", metavar="SOCKET",
        help="Unix socket for `edge-vc-rt control` and other programs of yours; '' for none "
        "(default: $XDG_RUNTIME_DIR/edge-vc/control.sock, or in $XDG_STATE_HOME)",
    )  # fmt: skip
