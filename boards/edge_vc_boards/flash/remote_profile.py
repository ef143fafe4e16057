"""``edge-vc profile --remote``: measures the release on a board and shows the report here."""

from __future__ import annotations

from collections.abc import Sequence

from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.remote_command import (
    OPTIONS_HELP,
    remote_command,
    remote_parser,
)
from edge_vc_boards.flash.ssh import RemoteOutput
from edge_vc_boards.reports import show_report
from edge_vc_runtime.arguments import verb_parser
from edge_vc_runtime.profiling.report import Report
from edge_vc_runtime.schema.fields import FieldError

PROG = "edge-vc"
HELP = f"""
on a board:
  edge-vc profile --remote USER@HOST [OPTION...]
      measures the release that `edge-vc flash` has installed there, with the options above, and
      shows the report here; --json and --png write files here
{OPTIONS_HELP}
  edge-vc profile --remote pi@raspberrypi.local --seconds 60 --json pi.json
"""
_CHECK_FAILED = 3
_SLACK_S = 300.0
"""Time on a slow board beyond the audio itself: opening, cold start, timing each operator."""


def run(words: Sequence[str]) -> int:
    """Measure on a board and show the report; return the exit code of the measurement.

    Raises `FlashError` if the board cannot be reached or returns no report.
    """
    here, there = remote_parser(f"{PROG} profile", "--json", "--png").parse_known_args(words)
    command = remote_command("profile", here)
    parser = verb_parser("profile", PROG)
    _, more = parser.parse_known_args([command.bundle, *there])
    if more and not more[0].startswith("-"):
        raise FlashError(
            f"--remote measures the release that is installed there; leave {more[0]!r:.100} out "
            "(edge-vc flash brings it there)"
        )
    wanted = parser.parse_args([command.bundle, *there])
    timeout_s = 2 * float(wanted.seconds) + _SLACK_S
    done = command.run(["--json", "-", *there], (0, _CHECK_FAILED), timeout_s)
    show_report(_report(command.target.name, done), here.json, here.png)
    return done.code


def _report(name: str, done: RemoteOutput) -> Report:
    try:
        return Report.from_json(done.stdout.encode())
    except FieldError as error:
        raise FlashError(f"{name}: sent no report: {error}") from error
