"""Time per hop: bundles and precisions compared, interleaved within one run.

Measures the time inside one step of the board's own session, on this machine, twice: tight
(steps back to back: caches warm, the best case) and paced (one step per hop duration, as in live
audio: what a user gets). Systems take turns of a few steps, in a different order each round, so
that other load on the machine affects them all; compare ratios, not milliseconds, between runs.

Statistic: percentiles over all counted steps of a system; ratios are the median over rounds
of the ratio of the two medians within a round, with the quartiles of the rounds. Each system is
warmed up once; the first steps of every turn are not counted.

Leaves out: audio drivers and buffers, resampling, threads other than the model's, thermal
throttling (run `edge-vc profile --seconds 1800` for that), and machines other than this one.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc_export.parity.speech import example_speech
from edge_vc_export.parity.speed import ratio, time_interleaved
from edge_vc_runtime import __version__
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.engines import engines_for
from edge_vc_runtime.profiling.machine import detect_environment, read_machine
from edge_vc_runtime.profiling.timing import summarise
from edge_vc_runtime.sensors import read_sensors
from edge_vc_runtime.session import Session

FIGURES = ("p50_ms", "p90_ms", "p99_ms", "max_ms", "mean_ms", "rtf", "misses", "hops")
_COLUMNS = (("p50 ms", "p50_ms"), ("p99 ms", "p99_ms"), ("RTF", "rtf"))
EXAMPLES = """examples:
  python benchmarks/latency.py kathleen.evc
      every precision in the bundle on every engine, about four minutes
  python benchmarks/latency.py base.evc:int8 base.evc:fp32:onnx nano.evc:int8:litert --json out.json
      selected systems; the JSON is saved for the table
  taskset -c 3 python benchmarks/latency.py kathleen.evc --rounds 100
      on a dedicated core, for tighter quartiles
  python benchmarks/table.py benchmarks/results/latency.json
      the table of a saved result
"""


def main(argv: list[str] | None = None) -> int:
    """Measure, print and save the figures; return the exit code."""
    arguments = build_parser().parse_args(argv)
    try:
        sessions = open_systems(arguments.systems, arguments.threads)
    except BundleError as error:
        print(f"latency: {error}", file=sys.stderr)
        return 2
    result = measure(sessions, arguments)
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(result, indent=1, sort_keys=True) + "\n")
    for name, system in result["systems"].items():
        for mode in ("tight", "paced"):
            if mode in system:
                figures = system[mode]
                shown = (f"{title} {_shown(figures[key])}" for title, key in _COLUMNS)
                print(f"{name:24} {mode:6} {'   '.join(shown)}")
    for entry in result["ratios"]:
        print(
            f"{entry['fast']} is {entry['median']:.2f}x {entry['slow']}, {entry['mode']} "
            f"(quartiles {entry['low']:.2f} to {entry['high']:.2f})"
        )
    return 0


def _shown(value: float | None) -> str:
    """Format a figure; it is missing if there were too few samples."""
    return "-" if value is None else f"{value:.4f}"


def build_parser() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(
        prog="latency.py",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "systems",
        nargs="+",
        metavar="BUNDLE[:PRECISION[:ENGINE]]",
        help="e.g. base.evc, base.evc:int8 or base.evc:int8:litert",
    )
    parser.add_argument("--rounds", type=int, default=60, help="turns per system (60)")
    parser.add_argument("--steps", type=int, default=50, help="counted steps per turn (50)")
    parser.add_argument("--settle", type=int, default=5, help="uncounted ones before them (5)")
    parser.add_argument("--warmup", type=int, default=200, help="steps before everything (200)")
    parser.add_argument("--threads", type=int, default=1, help="threads of the engine (1)")
    parser.add_argument(
        "--mode", choices=("tight", "paced", "both"), default="both", help="pacing (both)"
    )
    parser.add_argument("--json", type=Path, help="keep the result here")
    return parser


def open_systems(systems: list[str], threads: int) -> dict[str, Session]:
    """Open ``BUNDLE[:PRECISION[:ENGINE]]``; an omitted part means all that the bundle has."""
    sessions: dict[str, Session] = {}
    for system in systems:
        file, *chosen = system.split(":")
        bundle = read_bundle(file)
        precision, engine = [*chosen, "", ""][:2]
        for model in bundle.manifest.models:
            if precision not in ("", model.precision):
                continue
            for kind in engines_for((model.format,)):
                if engine not in ("", kind.name) or (kind.only_measured and not engine):
                    continue  # engines for special hardware are measured only if named
                name = f"{bundle.manifest.name}:{model.precision}:{kind.name}"
                if name in sessions:
                    raise BundleError(f"{system}: {name} is measured already")
                sessions[name] = Session.open(
                    bundle, kind.name, threads=threads, precision=model.precision
                )
        if not any(name.startswith(f"{bundle.manifest.name}:{precision}") for name in sessions):
            raise BundleError(f"{system}: the bundle has no such model")
    return sessions


def measure(sessions: dict[str, Session], options: argparse.Namespace) -> dict[str, Any]:
    """Benchmark the sessions in the selected modes; return everything as plain data."""
    before = read_sensors()
    systems = {name: _facts(session) for name, session in sessions.items()}
    ratios = []
    for mode in ("tight", "paced") if options.mode == "both" else (options.mode,):
        took = _interleaved(sessions, options, mode)
        for name, times in took.items():
            session = sessions[name]
            hop_ns = round(session.hop / session.sample_rate * 1e9)
            timing = asdict(summarise(times.reshape(-1), hop_ns))
            systems[name][mode] = {key: timing[key] for key in FIGURES}
        ratios += _ratios(took, mode)
    return {
        "benchmark": "latency",
        "about": " ".join(str(__doc__).split()),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": detect_environment(),
        "machine": asdict(read_machine()),
        "before": asdict(before),
        "after": asdict(read_sensors()),
        "versions": _versions(sessions),
        "setup": {
            key: getattr(options, key) for key in ("rounds", "steps", "settle", "warmup", "threads")
        },
        "systems": systems,
        "ratios": ratios,
    }


def _interleaved(
    sessions: dict[str, Session], options: argparse.Namespace, mode: str
) -> dict[str, NDArray[np.int64]]:
    """Benchmark systems of equal hop and rate, interleaved, on the same recorded speech."""
    forms = {(session.hop, session.sample_rate) for session in sessions.values()}
    if len(forms) > 1:
        raise SystemExit(f"latency: systems differ in hop and rate, {sorted(forms)}")
    hop, rate = forms.pop()
    speech = example_speech(10.0, rate)
    hops = speech[: speech.shape[0] // hop * hop].reshape(-1, hop)
    return time_interleaved(
        sessions,
        hops,
        rounds=options.rounds,
        steps=options.steps,
        warmup=options.warmup,
        settle=options.settle,
        paced=mode == "paced",
    )


def _ratios(took: dict[str, NDArray[np.int64]], mode: str) -> list[dict[str, Any]]:
    """Compare every pair that differs in exactly one respect, the slower one first."""
    found = []
    for pair in combinations(took, 2):
        bundle, precision, engine = zip(*(name.split(":") for name in pair), strict=True)
        if [len(set(each)) for each in (bundle, precision, engine)].count(2) != 1:
            continue
        slow, fast = sorted(pair, key=lambda name: -float(np.median(took[name])))
        found.append(
            {"mode": mode, "slow": slow, "fast": fast, **asdict(ratio(took[slow], took[fast]))}
        )
    return found


def _facts(session: Session) -> dict[str, Any]:
    manifest, model = session.manifest, session.model
    entry = manifest.files[model.file]
    return {
        "bundle": manifest.name,
        "version": manifest.version,
        "precision": model.precision,
        "engine": session.engine[0],
        "tier": model.tier,
        "parameters": model.parameters,
        "mmacs_per_second": model.macs_per_second / 1e6,
        "model_bytes": entry.size,
        "model_sha256": entry.sha256,
        "hop": session.hop,
        "sample_rate": session.sample_rate,
        "algorithmic_ms": manifest.algorithmic_ms,
    }


def _versions(sessions: dict[str, Session]) -> dict[str, str]:
    engines = dict(session.engine for session in sessions.values())
    return {
        "edge_vc_runtime": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        **{f"engine {name}": version for name, version in engines.items()},
    }


if __name__ == "__main__":
    raise SystemExit(main())
