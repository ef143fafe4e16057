"""Condense a report of `edge-vc evaluate` for the repository: without per-sentence scores.

Those are several megabytes; evaluating the same corpus again reproduces them.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

from edge_vc.evaluate.report.reader import TABLE, read_evaluation
from edge_vc.evaluate.report.report import condensed
from edge_vc.settings.optional import EvaluationError

EXAMPLES = """examples:
  python benchmarks/voice.py build/evaluation.json --json benchmarks/results/voice.json
  python benchmarks/voice.py build/his.json --table voice_flemish \\
      --json benchmarks/results/voice_flemish.json
"""


def main(argv: list[str] | None = None) -> int:
    """Write the condensed report; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="voice.py",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("report", type=Path, metavar="REPORT.json")
    parser.add_argument("--json", type=Path, required=True, help="keep the result here")
    parser.add_argument(
        "--table", default="voice", help="markers that table.py writes it between (voice)"
    )
    arguments = parser.parse_args(argv)
    if not re.fullmatch(TABLE, arguments.table):
        parser.error(f"--table {arguments.table}: has to be voice or voice_NAME")
    try:
        report = condensed(read_evaluation(arguments.report))
    except EvaluationError as error:
        print(f"voice: {error}", file=sys.stderr)
        return 2
    result = {"benchmark": arguments.table, **asdict(report)}
    arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
