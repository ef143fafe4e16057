"""`make bench`: run every benchmark on the shipped bundles; update results, docs/benchmarks.md.

Run it on an idle machine. The voice is scored only if an evaluation corpus is given.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
ASSETS = ROOT / "edge_vc" / "assets"


def main(argv: list[str] | None = None) -> int:
    """Run everything; return the first non-zero exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--corpus", type=Path, help="evaluation corpus: score the voice as well")
    parser.add_argument("--rounds", default="60", help="turns per system (60)")
    args = parser.parse_args(argv)
    base, nano, clear = (ASSETS / f"kathleen-{name}.evc" for name in ("base", "nano", "clear"))
    latency = ["--rounds", args.rounds, "--json", RESULTS / "latency.json"]
    footprints = {engine: RESULTS / f"footprint-{engine}.json" for engine in ("litert", "onnx")}
    python, here = Path(sys.executable), ROOT / "benchmarks"
    steps: list[list[str | Path]] = [
        [python, here / "latency.py", base, nano, clear, *latency],
        *(
            [python, here / "footprint.py", base, "--engine", engine, "--json", place]
            for engine, place in footprints.items()
        ),
    ]
    kept = [RESULTS / "latency.json", *footprints.values()]
    if args.corpus:
        systems = ["source", "teacher", *sorted(ASSETS.glob("*.evc")), "--corpus", args.corpus]
        tool, report = python.parent / "edge-vc", ROOT / "build" / "evaluation.json"
        report.parent.mkdir(exist_ok=True)
        steps.append([tool, "evaluate", *systems, "--json", report])
        steps.append([python, here / "voice.py", report, "--json", RESULTS / "voice.json"])
        kept.append(RESULTS / "voice.json")
    steps.append([python, here / "table.py", *kept, "--into", ROOT / "docs" / "benchmarks.md"])
    for step in steps:
        code = subprocess.run([*map(str, step)], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
