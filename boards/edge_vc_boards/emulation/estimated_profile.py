"""``edge-vc profile --emulate``: hops counted on an emulated board, shown as an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edge_vc_boards.board import Board
from edge_vc_boards.emulation.error import EmulationError
from edge_vc_boards.emulation.estimate import estimate_hop
from edge_vc_boards.emulation.hop_cost import CountedRun, count_run
from edge_vc_boards.emulation.root import default_root
from edge_vc_boards.profile_folder import board_names, load_board
from edge_vc_boards.reports import show_report
from edge_vc_runtime.aliases import refuse_aliases
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.profiling.estimate import TimeBounds
from edge_vc_runtime.profiling.report import SCHEMA_VERSION, Latency, Report, Timing
from edge_vc_runtime.profiling.timing import summarise
from edge_vc_runtime.sensors import Sensors
from edge_vc_runtime.verb_parser import VerbParser

PROG = "edge-vc profile"
HELP = f"""
on an emulated board:
  edge-vc profile BUNDLE --board BOARD --emulate [OPTION...]
      runs the board's aarch64 wheels under QEMU with its core and counts instructions; the times
      are an estimate with its bounds, `environment` is `estimated`. Needs the arm64 root of
      `edge-vc emulate setup`
  --board BOARD          {", ".join(board_names())}
  --seconds S            audio that is counted in s (default: 1, at most 60)
  --engine, --precision, --tier, --json, --png
                         as above
  --root DIR             the arm64 root (default: $EVC_ARM64_ROOT or ~/.cache/edge-vc/arm64-root)

  edge-vc profile kathleen-base --board pi4 --emulate --json pi4.json
"""
_NO_SENSORS = Sensors(None, None, None, None, None)


def run(words: Sequence[str]) -> int:
    """Count, estimate and show the report; return 0.

    Raises `EmulationError`, `BoardError` or `BundleError`, one line each.
    """
    from edge_vc.assets import find_bundle

    given = _parser().parse_args(words)
    if not 0 < given.seconds <= 60:
        raise EmulationError(f"--seconds {given.seconds:g}: has to be above 0, at most 60")
    board = load_board(given.board)
    board.processor()
    bundle = Path(find_bundle(given.bundle))
    refuse_aliases([given.json, given.png], [bundle])
    manifest = read_bundle(bundle).tier(given.tier).manifest
    steps = max(1, round(given.seconds * manifest.sample_rate / manifest.hop))
    done = count_run(
        board, bundle, given.engine, given.precision, given.tier, steps=steps, root=given.root
    )
    report = estimated_report(board, done, manifest.algorithmic_ms)
    show_report(report, given.json, given.png)
    return 0


def estimated_report(board: Board, done: CountedRun, algorithmic_ms: float) -> Report:
    """Return a report of counted hops; figures that emulation cannot provide are null."""
    estimate = estimate_hop(board, done.cost, done.subject.model_bytes)
    cpu, _ = board.processor()
    machine = replace(
        done.machine,
        cores=cpu.cores,
        memory_mb=None,
        kernel="none (QEMU user emulation)",
        preemption=None,
        affinity=(),
        policy="none",
    )
    tight = _timing(done, estimate.tight)
    paced = _timing(done, estimate.paced) if estimate.paced else None
    compute = paced or tight
    return Report(
        schema_version=SCHEMA_VERSION,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        environment="estimated",
        subject=done.subject,
        setup=done.setup,
        machine=machine,
        before=_NO_SENSORS,
        after=_NO_SENSORS,
        latency=Latency(
            algorithmic_ms=algorithmic_ms,
            buffer_ms=None,
            compute_ms=compute.max_ms if compute.p99_ms is None else compute.p99_ms,
            compute_percentile="max" if compute.p99_ms is None else "p99",
            compute_mode="paced" if paced else "tight",
            total_ms=None,
        ),
        tight=tight,
        paced=paced,
        cold_start=None,
        memory=None,
        ops=None,
        estimate=estimate,
    )


def _timing(done: CountedRun, bounds: TimeBounds) -> Timing:
    """Distribute the estimate over the hops in proportion to their instruction counts."""
    each = np.asarray(done.each)
    took_ns = each / each.mean() * bounds.estimate_ms * 1e6
    hop_ns = round(done.subject.hop / done.subject.sample_rate * 1e9)
    return summarise(np.rint(took_ns).astype(np.int64), hop_ns)


def _parser() -> VerbParser:
    parser = VerbParser(PROG, allow_abbrev=False, add_help=False)
    parser.add_argument("bundle", metavar="BUNDLE")
    parser.add_argument("--emulate", action="store_true", required=True)
    parser.add_argument("--board", required=True, metavar="BOARD")
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--precision", choices=("fp32", "int8"))
    parser.add_argument("--tier")
    parser.add_argument("--seconds", type=float, default=1.0, metavar="S")
    parser.add_argument("--root", type=Path, default=default_root())
    parser.add_argument("--json")
    parser.add_argument("--png")
    return parser
