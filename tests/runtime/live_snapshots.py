"""Snapshots of live runs that never took place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from edge_vc_runtime.live.snapshot import DelayParts, LiveSnapshot

PARTS = DelayParts(
    input_buffer_ms=10.5,
    output_buffer_ms=10.5,
    resampling_ms=3.0,
    algorithmic_ms=20.0,
    chain_ms=1.0,
    reserve_ms=5.0,
    compute_ms=2.5,
)
SNAPSHOT = LiveSnapshot(
    state="running",
    seconds=83.0,
    hops=8300,
    late=0,
    input_overflows=0,
    output_underflows=0,
    muted=0,
    reopened=0,
    input_db=-23.4,
    output_db=-18.0,
    p50_ms=0.84,
    p99_ms=2.51,
    rtf=0.092,
    delay=PARTS,
    tier="base",
    bypassed=False,
    gate_open=True,
    drift_ppm=11.5,
    temperature_c=54.3,
    throttled="0",
    input_device="USB Audio Device",
    output_device="snd_rpi_hifiberry_dacplus",
    parameters={"pitch": -2.0},
)


def snapshot(**changes: Any) -> LiveSnapshot:
    return replace(SNAPSHOT, **changes)
