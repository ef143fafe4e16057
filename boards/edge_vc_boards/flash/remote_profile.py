"""``edge-vc profile --remote``: the release on a board is measured there, the report shown here."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.request import check_root
from edge_vc_boards.flash.ssh import RemoteOutput, SshConnection, SshTarget
from edge_vc_boards.reports import show_report
from edge_vc_runtime.arguments import verb_parser
from edge_vc_runtime.install.layout import DEFAULT_ROOT
from edge_vc_runtime.profiling.report import Report
from edge_vc_runtime.schema.fields import FieldError

PROG = "edge-vc"
HELP = f"""
on a board:
  edge-vc profile --remote USER@HOST [OPTION...]
      measures the release that `edge-vc flash` has installed there, with the options above, and
      shows the report here; --json and --png write files here
  --root DIR             folder of the installation there (default: {DEFAULT_ROOT})
  --port N, --identity KEY, --ssh-option KEY=VALUE
                         as for `edge-vc flash`

  edge-vc profile --remote pi@raspberrypi.local --seconds 60 --json pi.json
"""
_CHECK_FAILED = 3
_SLACK_S = 300.0
"""Beside the audio itself: opening, cold start, every operator alone, on a slow board."""


def run(words: Sequence[str]) -> int:
    """Measure on a board and show the report; return the exit code of the measurement.

    Raises `FlashError` when the board cannot be reached or measures nothing.
    """
    here, there = _here().parse_known_args(words)
    check_root(here.root)
    bundle = f"{here.root}/current/bundle.evc"
    wanted = verb_parser("profile", PROG).parse_args([bundle, *there])
    target = SshTarget(here.remote, here.port, here.identity, tuple(here.ssh_option))
    command = [f"{here.root}/venv/bin/edge-vc-rt", "profile", bundle, "--json", "-", *there]
    with SshConnection(target) as connection:
        done = connection.run(command, timeout_s=2 * float(wanted.seconds) + _SLACK_S)
    show_report(_report(target.name, done), here.json, here.png)
    return done.code


def _here() -> argparse.ArgumentParser:
    """Return the parser of what stays on this machine."""
    parser = argparse.ArgumentParser(f"{PROG} profile", add_help=False, allow_abbrev=False)
    parser.add_argument("--remote", required=True, metavar="USER@HOST")
    parser.add_argument("--root", default=str(DEFAULT_ROOT))
    parser.add_argument("--port", type=int)
    parser.add_argument("--identity", type=Path)
    parser.add_argument("--ssh-option", action="append", default=[])
    parser.add_argument("--json")
    parser.add_argument("--png")
    return parser


def _report(name: str, done: RemoteOutput) -> Report:
    if done.code not in (0, _CHECK_FAILED):
        missing = "; edge-vc flash BUNDLE brings it there" * (done.code in (126, 127))
        raise FlashError(f"{name}: {done.last_line()}{missing}")
    try:
        return Report.from_json(done.stdout.encode())
    except FieldError as error:
        raise FlashError(f"{name}: sent no report: {error}") from error
