"""The options of ``run`` for its display and measurements."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from edge_vc_runtime.files.output_kinds import JSON_REPORT


@dataclass(frozen=True)
class DisplayOptions:
    """What a live run displays and where its figures are written."""

    quiet: bool = False
    report: str | None = None
    """File of the JSON report; ``-`` for stdout."""
    metrics: int | None = None
    """Port on loopback for Prometheus, 0 for any free one."""

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> DisplayOptions:
        """Take the parsed options."""
        return cls(arguments.quiet, arguments.report, arguments.metrics)


def add_display_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--report`` and ``--metrics``; ``-q`` already exists."""
    group = parser.add_argument_group("figures (live)")
    group.add_argument(
        "--report", metavar="FILE", type=JSON_REPORT,
        help="write a JSON report at the end, as `profile --json` does, with what the run "
        "did; - for stdout",
    )  # fmt: skip
    group.add_argument(
        "--metrics", type=_port, metavar="PORT",
        help="serve Prometheus metrics on 127.0.0.1:PORT; 0 takes a free port",
    )  # fmt: skip


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 <= int(text[:9]) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a port; give 1 to 65535, or 0")
    return int(text)
