"""A report of `edge-vc evaluate` without its sentences: what is kept of a voice's figures.

What every sentence scored is some megabytes; anybody with the corpus makes it again, to the digit.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

DROPPED = ("sentences", "audio")
EXAMPLES = """examples:
  python benchmarks/voice.py build/evaluation.json --json benchmarks/results/voice.json
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
    arguments = parser.parse_args(argv)
    try:
        report = json.loads(arguments.report.read_text())
    except (OSError, ValueError) as error:
        print(f"voice: {arguments.report}: {error}", file=sys.stderr)
        return 2
    arguments.json.write_text(json.dumps(condense(report), indent=1) + "\n")
    return 0


def condense(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report with the number of its sentences in their place."""
    kept = {key: _without(value) for key, value in report.items() if key not in DROPPED}
    return {"benchmark": "voice", **kept, "sentence_count": len(report["sentences"])}


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(entry) for key, entry in value.items() if key not in DROPPED}
    return [_without(entry) for entry in value] if isinstance(value, list) else value


if __name__ == "__main__":
    raise SystemExit(main())
