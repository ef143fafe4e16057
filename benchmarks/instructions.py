"""Cost of a hop on a board: instructions executed under emulation, per engine and precision.

Counts the user-space instructions of one step of the board's own session, including the session's
Python, and those of the engine alone. The board is QEMU user emulation with the board's core and
CPU description, so that engines select the same kernels as on the board. One thread; the input is
the bundle's golden recording; 20 warm-up steps.

Statistic: instructions per hop of the longer of two runs, each in its own process and with a
different number of steps; the spread is the difference between the two. Counts do not depend on
the machine's load.

Excludes: the kernel, audio drivers and everything that is not an instruction: caches, memory,
clocks. Instructions are not time: they compare engines, but do not give a board's milliseconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_vc_boards.board import Board, BoardError
from edge_vc_boards.emulation.error import EmulationError
from edge_vc_boards.emulation.hop_cost import HopCost, engine_precisions, hop_cost
from edge_vc_boards.emulation.root import default_root, make_root
from edge_vc_boards.profile_folder import load_board
from edge_vc_runtime import __version__
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import Bundle, read_bundle

BOARDS = ("pi3", "pi4", "pi5")
EXAMPLES = """examples:
  sudo python benchmarks/instructions.py edge_vc/assets/kathleen-base.evc
      Pi 3, Pi 4 and Pi 5, every engine and precision in the bundle, some minutes
  sudo python benchmarks/instructions.py mine.evc --boards pi4 --engine litert --precision int8
  sudo python benchmarks/instructions.py edge_vc/assets/*.evc --json benchmarks/results/instructions.json
  python benchmarks/table.py benchmarks/results/instructions.json
      the table of a saved result
"""  # noqa: E501


def main(argv: list[str] | None = None) -> int:
    """Count, print and save the figures; return the exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        boards = [load_board(name) for name in arguments.boards.split(",")]
        bundles = {path: read_bundle(path) for path in arguments.bundles}
        make_root(arguments.root)
        found = [_show(figure) for figure in measure(boards, bundles, arguments)]
    except (BoardError, BundleError, EmulationError) as error:
        print(f"instructions: {error}", file=sys.stderr)
        return 2
    if arguments.json:
        result = _result(found, arguments, sys.argv[1:] if argv is None else argv)
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="instructions.py",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE", help=".evc files")
    parser.add_argument("--boards", default=",".join(BOARDS), help=f"({','.join(BOARDS)})")
    parser.add_argument("--engine", help="litert or onnx; every one when not given")
    parser.add_argument("--precision", help="int8 or fp32; every one when not given")
    parser.add_argument("--steps", type=int, default=50, help="hops of the first run (50)")
    parser.add_argument("--root", type=Path, default=default_root(), help="the arm64 root")
    parser.add_argument("--json", type=Path, help="keep the result here")
    return parser


def measure(
    boards: list[Board], bundles: dict[Path, Bundle], options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Count every system on every board; yield each as plain data."""
    for path, bundle in bundles.items():
        for engine, precision in engine_precisions(bundle.manifest):
            if options.engine not in (None, engine) or options.precision not in (None, precision):
                continue
            for board in boards:
                runs = [
                    hop_cost(board, path, engine, precision, steps=steps, root=options.root)
                    for steps in (options.steps, 2 * options.steps)
                ]
                yield _figure(board, bundle, precision, runs)


def _figure(board: Board, bundle: Bundle, precision: str, runs: list[HopCost]) -> dict[str, Any]:
    cpu, emulation = board.processor()
    longest = runs[-1]
    model = next(m for m in bundle.manifest.models if m.file == longest.model)
    return {
        "board": board.name,
        "core": cpu.core,
        "emulated_core": emulation.cpu,
        "bundle": bundle.manifest.name,
        "version": bundle.manifest.version,
        "model": longest.model,
        "model_sha256": bundle.manifest.files[longest.model].sha256,
        "macs_per_hop": model.macs_per_second * bundle.manifest.hop / bundle.manifest.sample_rate,
        "precision": precision,
        "engine": longest.engine,
        "engine_version": longest.version,
        "instructions": round(longest.total),
        "engine_instructions": round(longest.engine_total),
        "spread": abs(runs[0].total / longest.total - 1.0),
        "engine_spread": abs(runs[0].engine_total / longest.engine_total - 1.0),
        "engine_classes": {kind: round(number) for kind, number in longest.alone.items()},
    }


def _show(figure: dict[str, Any]) -> dict[str, Any]:
    print(
        f"{figure['bundle']}:{figure['precision']} {figure['engine']:7} {figure['core']:11} "
        f"{figure['instructions'] / 1e6:.3f} M per hop, engine alone "
        f"{figure['engine_instructions'] / 1e6:.3f} M (spread {figure['spread']:.2%}, "
        f"{figure['engine_spread']:.2%})",
        flush=True,
    )
    return figure


def _result(
    figures: list[dict[str, Any]], options: argparse.Namespace, argv: list[str]
) -> dict[str, Any]:
    return {
        "benchmark": "instructions",
        "about": " ".join(str(__doc__).split()),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": " ".join(["python benchmarks/instructions.py", *argv]),
        "environment": "emulated",
        "edge_vc_runtime": __version__,
        "setup": {"steps": [options.steps, 2 * options.steps], "threads": 1},
        "figures": figures,
    }


if __name__ == "__main__":
    raise SystemExit(main())
