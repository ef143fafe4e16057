"""Mutation testing of the core: which code changes does no test detect?

mutmut changes one token at a time in a staged copy of the packages and runs the tests of that part.
Survivors are listed with their change; each is either a gap in the tests or an equivalent mutant.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAGE = ROOT / "build" / "mutants"
PACKAGES = {
    "edge_vc": ROOT / "edge_vc",
    "edge_vc_export": ROOT / "export" / "edge_vc_export",
    "edge_vc_boards": ROOT / "boards" / "edge_vc_boards",
    "edge_vc_runtime": ROOT / "runtimes" / "edge_vc_runtime",
}
SURVIVED, KILLED, TIMEOUT = "survived", "killed", "timeout"


@dataclass(frozen=True)
class Part:
    """The code to mutate and the tests that have to detect it; both are patterns."""

    mutate: tuple[str, ...]
    tests: tuple[str, ...]


PARTS = {
    "nn": Part(("edge_vc/nn/*",), ("tests/nn",)),
    "quantization": Part(
        ("edge_vc/compress/quantization/*", "edge_vc/nn/quantized_conv.py"),
        ("tests/compress/test_compress_quantize.py", "tests/compress/test_compress_qat*.py"),
    ),
    "metrics": Part(("edge_vc/evaluate/metrics/*",), ("tests/evaluate/test_evaluate_[ims]*.py",)),
    "reader": Part(
        ("edge_vc_runtime/bundle/*",),
        ("tests/runtime/test_runtime_bundle*.py", "tests/runtime/test_runtime_manifest.py",
         "tests/runtime/test_runtime_fields.py", "tests/runtime/test_runtime_selection.py"),
    ),
}  # fmt: skip


def main(argv: list[str] | None = None) -> int:
    """Run the requested parts; return 0 once the run completes, regardless of survivors."""
    parser = argparse.ArgumentParser(
        prog="make mutants ARGS=...",
        description=__doc__,
        epilog='examples:\n  make mutants ARGS="reader"\n  make mutants ARGS="nn --only conv"\n',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (all)")
    parser.add_argument("--only", default="", help="only modules whose name contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--minutes", type=float, default=0, help="stop each part after this long")
    parser.add_argument("--json", type=Path, help="keep the counts and the survivors")
    args = parser.parse_args(argv)
    unknown = set(args.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    found = {}
    for name in args.parts or PARTS:
        folder = stage(name, PARTS[name], args.only)
        run(folder, args.only, args.jobs, args.minutes * 60 or None)
        found[name] = results(folder)
        print(report(name, found[name], folder))
    if args.json:
        args.json.write_text(json.dumps({"benchmark": "mutants", "parts": found}, indent=1) + "\n")
    return 0


def stage(name: str, part: Part, only: str) -> Path:
    """Copy packages and tests into a folder with the packages side by side."""
    folder = STAGE / name
    shutil.rmtree(folder, ignore_errors=True)
    skip = shutil.ignore_patterns("__pycache__", "*.pyc")
    for package, source in PACKAGES.items():
        shutil.copytree(source, folder / package, ignore=skip)
    shutil.copytree(ROOT / "tests", folder / "tests", ignore=skip)
    patterns = [f"{p.rstrip('*')}*{only}*" if only and p.endswith("*") else p for p in part.mutate]
    tests = sorted(str(p.relative_to(ROOT)) for test in part.tests for p in ROOT.glob(test))
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    lines += f"""
[tool.mutmut]
source_paths = {json.dumps(sorted(PACKAGES))}
only_mutate = {json.dumps(patterns)}
pytest_add_cli_args_test_selection = {json.dumps(tests)}
pytest_add_cli_args = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
also_copy = ["tests"]
"""
    (folder / "pyproject.toml").write_text(lines, encoding="utf-8")
    return folder


def run(folder: Path, only: str, jobs: int, seconds: float | None) -> None:
    """Run mutmut in a staged folder, for ``seconds`` at most; partial results count."""
    command = [str(Path(sys.executable).parent / "mutmut"), "run", "--max-children", str(jobs)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": ""}
    try:
        subprocess.run(command, cwd=folder, env=environment, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        print(f"stopped after {seconds:.0f} s", file=sys.stderr)


def results(folder: Path) -> dict[str, str]:
    """Return the outcome of each mutant, by mutmut's name for it."""
    command = [str(Path(sys.executable).parent / "mutmut"), "results", "--all", "true"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    pairs = (line.strip().rsplit(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    return dict(pairs)


def report(name: str, found: dict[str, str], folder: Path) -> str:
    """Return the counts, and the survivors with their changes."""
    counts = Counter(found.values())
    lines = [f"{name}: " + ", ".join(f"{n} {what}" for what, n in counts.most_common())]
    for mutant in (key for key, outcome in found.items() if outcome == SURVIVED):
        command = [str(Path(sys.executable).parent / "mutmut"), "show", mutant]
        shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        changed = [
            line for line in shown.stdout.splitlines()
            if line[:1] in "+-" and line[:3] not in ("+++", "---")
        ]  # fmt: skip
        lines += [f"  {mutant}", *(f"    {line}" for line in changed)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
