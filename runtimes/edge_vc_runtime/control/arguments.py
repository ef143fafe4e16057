"""The arguments of ``control``."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_vc_runtime.control.commands import control
from edge_vc_runtime.verb_parser import Commands, add_verb

_EXAMPLES = """
{prog} status
{prog} get
{prog} get pitch
{prog} set pitch=2 gain=-3
{prog} set bypass=on
{prog} set model_voice=flemish model_pitch=-2
"""
_TEXT = (
    "Changes the voice of a live run of yours on this machine, or shows its status. Each printed "
    "line is a name and its value; --json prints the run's reply. Other programs can send JSON "
    'lines to the socket themselves: {"set": {"pitch": 2}}.'
)


def add_control(commands: Commands, prog: str) -> None:
    """Add the verb ``control``."""
    parser = add_verb(commands, "control", _TEXT, _EXAMPLES, prog)
    parser.add_argument("action", choices=("get", "set", "status"), help="what to do")
    parser.add_argument(
        "names", nargs="*", metavar="NAME[=VALUE]",
        help="parameters: NAME=VALUE for set, at most one NAME for get (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--socket", type=Path, metavar="SOCKET",
        help="the run's socket (default: $XDG_RUNTIME_DIR/edge-vc/control.sock, or in "
        "$XDG_STATE_HOME)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the answer as JSON")
    parser.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    return control(arguments.action, arguments.names, arguments.socket, arguments.json)
