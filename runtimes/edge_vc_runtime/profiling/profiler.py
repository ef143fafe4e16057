"""Profiling of a bundle on this machine: hop by hop, back to back and at the pace of live audio.

Back-to-back timing is optimistic: caches stay warm and the clock stays high between hops. Paced
timing runs one hop per hop duration, as in live audio. The report contains both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.engines.op_time import OpTime
from edge_vc_runtime.engines.registry import engine_kind
from edge_vc_runtime.profiling.coldstart import measure_cold_start
from edge_vc_runtime.profiling.feed import feed_hops
from edge_vc_runtime.profiling.machine import detect_environment, read_machine
from edge_vc_runtime.profiling.pacing import run_paced, run_tight
from edge_vc_runtime.profiling.report import (
    SCHEMA_VERSION,
    Environment,
    Latency,
    Report,
    Timing,
)
from edge_vc_runtime.profiling.session_facts import setup_of, subject_of
from edge_vc_runtime.profiling.timing import summarise
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.sensors import read_sensors
from edge_vc_runtime.session import Session

Mode = Literal["tight", "paced"]
MODES: tuple[Mode, ...] = ("tight", "paced")

OnProgress = Callable[[str, float, float], None]
"""Called with the mode, the seconds of audio done and the total seconds."""


@dataclass(frozen=True)
class ProfileOptions:
    """What to measure and for how long."""

    engine: str = "auto"
    threads: int | None = None
    """None: the board profile's number, or 1 without a profile."""
    precision: str | None = None
    tier: str | None = None
    """None: the bundle's default student."""
    modes: tuple[Mode, ...] = MODES
    seconds: float = 10.0
    """Seconds of audio per mode; a paced mode takes as long as the audio."""
    warmup_hops: int = 100
    environment: Environment | None = None
    """None detects board or host; ``emulated`` is set by an emulator's driver."""
    cold_start: bool = True
    ops: bool = True


def profile(
    path: str | Path, options: ProfileOptions | None = None, progress: OnProgress | None = None
) -> Report:
    """Measure a bundle and return the report.

    Raises `BundleError`, `EngineError` or `ColdStartError`, one line each, and `ValueError` for
    impossible options.
    """
    options, environment = options or ProfileOptions(), detect_environment()
    _check(options, environment)
    bundle = read_bundle(path).tier(options.tier)
    before = read_sensors()
    session = Session.open(bundle, options.engine, options.threads, options.precision)
    selection = session.selection
    cold = memory = None
    if options.cold_start:
        cold, memory = measure_cold_start(
            Path(path),
            selection.engine,
            session.threads,
            selection.precision,
            bundle.manifest.default_tier,
        )
    hops, kind = feed_hops(bundle)
    count = max(1, round(options.seconds * session.sample_rate / session.hop))
    timings = {
        mode: _measure(session, hops, count, options.warmup_hops, mode, progress)
        for mode in options.modes
    }
    return Report(
        schema_version=SCHEMA_VERSION,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        environment=options.environment or environment,
        subject=subject_of(session),
        setup=setup_of(session, options.warmup_hops, kind),
        machine=read_machine(),
        before=before,
        after=read_sensors(),
        latency=_latency(session, timings),
        tight=timings.get("tight"),
        paced=timings.get("paced"),
        cold_start=cold,
        memory=memory,
        ops=_ops(bundle, session, hops) if options.ops else None,
        ops_missing=engine_kind(selection.engine).op_missing or None if options.ops else None,
    )


def _check(options: ProfileOptions, found: Environment) -> None:
    said = options.environment
    if said not in (None, found, "emulated"):
        raise ValueError(
            f"environment is {said}, and this is {'no board' if said == 'board' else found}: "
            f"leave it out (here it is {found}), or say emulated in an emulator"
        )
    if not options.modes:
        raise ValueError(f"modes is empty, choose from {', '.join(MODES)}")
    if not 0 < options.seconds <= 86_400:
        raise ValueError(f"seconds is {options.seconds:g}, it has to be above 0, at most 86400")
    if not 0 <= options.warmup_hops <= 1_000_000:
        raise ValueError(f"warmup is {options.warmup_hops} hops, it has to be 0 to 1000000")


def _measure(
    session: Session,
    hops: Samples,
    count: int,
    warmup: int,
    mode: Mode,
    progress: OnProgress | None,
) -> Timing:
    session.reset()
    for index in range(warmup):
        session.step(hops[index % len(hops)])
    hop_ns = round(session.hop / session.sample_rate * 1e9)
    tell = None
    if progress:
        seconds = count * hop_ns / 1e9

        def tell(done: int) -> None:
            progress(mode, done * hop_ns / 1e9, seconds)

    if mode == "tight":
        return summarise(run_tight(session, hops, count, tell), hop_ns)
    took, late = run_paced(session, hops, count, hop_ns, tell)
    return summarise(took, hop_ns, late)


def _latency(session: Session, timings: dict[Mode, Timing]) -> Latency:
    mode: Mode = "paced" if "paced" in timings else "tight"
    p99 = timings[mode].p99_ms
    return Latency(
        algorithmic_ms=session.manifest.algorithmic_ms,
        buffer_ms=None,
        compute_ms=timings[mode].max_ms if p99 is None else p99,
        compute_percentile="max" if p99 is None else "p99",
        compute_mode=mode,
        total_ms=None,
    )


def _ops(bundle: Bundle, session: Session, hops: Samples) -> tuple[OpTime, ...] | None:
    """Return time per kind of node from the engine's own profiler; None if it has none."""
    measure = engine_kind(session.selection.engine).op_times
    if measure is None:
        return None
    data = bundle.read(session.model.file)
    return measure(bundle.manifest, session.model, data, session.threads, hops)
