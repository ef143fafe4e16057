"""Start-up cost: a new process imports the runtime, opens a bundle and runs one step.

Statistic: median and quartiles over several new processes, run sequentially; memory is the
resident set after the first step. One thread.

Excludes: the interpreter's own start (about 10 ms), reading from a cold disk (the files are in
the page cache after the first process), and everything but the model: no audio driver is opened.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from edge_vc_runtime import __version__
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.engines import engine_kind, engine_kinds
from edge_vc_runtime.profiling.coldstart import measure_cold_start
from edge_vc_runtime.profiling.machine import detect_environment, read_machine

EXAMPLES = """examples:
  python benchmarks/footprint.py kathleen.evc
  python benchmarks/footprint.py kathleen.evc --engine onnx --runs 31 --json out.json
"""
STAGES = ("import_ms", "open_ms", "first_step_ms", "total_ms")


def main(argv: list[str] | None = None) -> int:
    """Measure, print and save the figures; return the exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        result = measure(arguments.bundle, arguments.engine, arguments.precision, arguments.runs)
    except BundleError as error:
        print(f"footprint: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    for key, figures in result["figures"].items():
        unit = "MB" if key.endswith("_mb") else "ms"
        low, high = figures["low"], figures["high"]
        print(f"{key:14} {figures['median']:8.1f} {unit}   (quartiles {low:.1f} to {high:.1f})")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="footprint.py",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="a .evc file")
    parser.add_argument(
        "--engine", choices=tuple(engine_kinds()), default="litert", help="(litert)"
    )
    parser.add_argument("--precision", help="int8 or fp32; the bundle's default when not given")
    parser.add_argument("--runs", type=int, default=11, help="new processes (11)")
    parser.add_argument("--json", type=Path, help="keep the result here")
    return parser


def measure(bundle: Path, engine: str, precision: str | None, runs: int) -> dict[str, Any]:
    """Start ``runs`` processes; return everything as plain data."""
    manifest = read_bundle(bundle).manifest
    model = manifest.model(precision, engine_kind(engine).formats)
    measured: dict[str, list[float]] = {key: [] for key in (*STAGES, "rss_mb", "peak_rss_mb")}
    for _ in range(runs):
        start, memory = measure_cold_start(bundle, engine, 1, model.precision, model.tier)
        for key, value in (asdict(start) | asdict(memory)).items():
            measured[key].append(value)
    return {
        "benchmark": "footprint",
        "about": " ".join(str(__doc__).split()),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": detect_environment(),
        "machine": asdict(read_machine()),
        "edge_vc_runtime": __version__,
        "bundle": manifest.name,
        "version": manifest.version,
        "precision": model.precision,
        "engine": engine,
        "runs": runs,
        "figures": {key: _quartiles(values) for key, values in measured.items()},
    }


def _quartiles(values: list[float]) -> dict[str, float]:
    low, median, high = (float(value) for value in np.percentile(values, (25, 50, 75)))
    return {"low": low, "median": median, "high": high}


if __name__ == "__main__":
    raise SystemExit(main())
