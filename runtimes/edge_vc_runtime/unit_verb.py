"""The verb ``unit``: the service that runs the current release live, as text for systemd."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge_vc_runtime.install.arguments import add_root
from edge_vc_runtime.install.commands import install_root
from edge_vc_runtime.install.layout import DEFAULT_ROOT
from edge_vc_runtime.install.unit import SERVICE_USER, ServiceUnit
from edge_vc_runtime.service_arguments import check_run_arguments
from edge_vc_runtime.verb_parser import Commands, add_verb

_EXAMPLES = """
{prog} > /etc/systemd/system/edge-vc.service
{prog} --root /srv/edge-vc --program /srv/edge-vc/venv/bin/edge-vc-rt
{prog} -- --gate --pitch 2
"""


def add_unit(commands: Commands, prog: str) -> None:
    """Add the verb ``unit``."""
    text = (
        "Prints the systemd unit that runs the current release: restarted always, real-time "
        "priority and locked memory within limits, no rights that it does not need."
    )
    parser = add_verb(commands, "unit", text, _EXAMPLES, prog)
    add_root(parser)
    parser.add_argument(
        "--program", default=f"{DEFAULT_ROOT}/venv/bin/edge-vc-rt", metavar="PATH",
        help=f"the board command (default: {DEFAULT_ROOT}/venv/bin/edge-vc-rt)",
    )  # fmt: skip
    parser.add_argument(
        "--user", default=SERVICE_USER, metavar="NAME",
        help=f"its account, which has to exist (default: {SERVICE_USER}, made by edge-vc flash)",
    )  # fmt: skip
    parser.add_argument(
        "run_arguments", nargs="*", metavar="ARGUMENT", help="arguments of `run`, after --"
    )
    parser.set_defaults(command=unit)


def unit(arguments: argparse.Namespace) -> int:
    """``unit``: print the unit, unless `run` would not accept its arguments."""
    check_run_arguments(arguments.run_arguments)
    made = ServiceUnit(
        root=install_root(arguments).path,
        program=Path(arguments.program),
        arguments=arguments.run_arguments,
        user=arguments.user,
    )
    sys.stdout.write(made.text())
    return 0
