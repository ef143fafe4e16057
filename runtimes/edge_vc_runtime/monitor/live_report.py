"""The report of a live run, with the same schema as `profile`."""

from __future__ import annotations

from datetime import datetime, timezone

from edge_vc_runtime.profiling.live_run import LatencyParts, LiveRun
from edge_vc_runtime.profiling.machine import detect_environment, read_machine
from edge_vc_runtime.profiling.report import SCHEMA_VERSION, Latency, Report
from edge_vc_runtime.profiling.session_facts import setup_of, subject_of
from edge_vc_runtime.sensors import Sensors, read_sensors
from edge_vc_runtime.session import Session


def live_report(session: Session, run: LiveRun, before: Sensors) -> Report:
    """Return the report of a finished run; ``before`` was read at its start.

    The machine's scheduling policy is that of the calling thread.
    """
    return Report(
        schema_version=SCHEMA_VERSION,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        environment=detect_environment(),
        subject=subject_of(session),
        setup=setup_of(session, warmup_hops=0, fed="microphone"),
        machine=read_machine(),
        before=before,
        after=read_sensors(),
        latency=_latency(run),
        tight=None,
        paced=None,
        cold_start=None,
        memory=None,
        ops=None,
        live=run,
    )


def _latency(run: LiveRun) -> Latency:
    parts = run.parts
    p99 = run.step.p99_ms if run.step else 0.0
    compute = run.step.max_ms if run.step and p99 is None else p99 or 0.0
    buffer = _buffer(parts)
    fixed = parts.algorithmic_ms + parts.resampling_ms + parts.chain_ms
    return Latency(
        algorithmic_ms=parts.algorithmic_ms,
        buffer_ms=buffer,
        compute_ms=compute,
        compute_percentile="max" if p99 is None else "p99",
        compute_mode="live",
        total_ms=None if buffer is None else fixed + buffer + compute,
        resampling_ms=parts.resampling_ms,
        chain_ms=parts.chain_ms,
    )


def _buffer(parts: LatencyParts) -> float | None:
    if parts.input_buffer_ms is None or parts.output_buffer_ms is None:
        return None
    return parts.input_buffer_ms + parts.reserve_ms + parts.output_buffer_ms
