"""The report of a profile or a live run: one schema, null for anything not measured."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Literal

from edge_vc_runtime.engines.op_time import OpTime
from edge_vc_runtime.profiling.estimate import HopEstimate
from edge_vc_runtime.profiling.live_run import LiveRun
from edge_vc_runtime.schema.fields import FieldError, parse_object
from edge_vc_runtime.schema.records import from_json_value, json_schema
from edge_vc_runtime.sensors import Sensors

SCHEMA_VERSION = 1
_BINS, _COUNT = 10_000, 1 << 53

Environment = Literal["board", "host", "emulated", "estimated"]
ENVIRONMENTS: tuple[Environment, ...] = ("board", "host", "emulated", "estimated")


@dataclass(frozen=True)
class Subject:
    """The bundle and model that were measured."""

    bundle: str
    version: str
    model_file: str
    model_sha256: str
    model_bytes: int
    precision: str
    tier: str
    parameters: int
    macs_per_second: float
    sample_rate: int
    hop: int
    delay: int
    """Look-ahead in samples."""


@dataclass(frozen=True)
class Setup:
    """Settings of the measurement."""

    engine: str
    engine_version: str
    runtime_version: str
    python_version: str
    threads: int
    warmup_hops: int
    input: Literal["golden", "noise", "microphone"]
    """The bundle's golden recording, seeded noise, or the input device of a live run."""
    engine_library: str | None = None
    """The engine's library, by its pip name; null in reports of version 0.1."""
    engine_reason: str | None = None
    """Why this engine was selected; null in reports of version 0.1."""


@dataclass(frozen=True)
class Machine:
    """Constant properties of the machine."""

    model: str | None
    cpu: str | None
    arch: str
    cores: int
    memory_mb: int | None
    kernel: str
    preemption: str | None
    affinity: tuple[int, ...]
    policy: str
    """Scheduling policy of the measuring thread."""


@dataclass(frozen=True)
class Histogram:
    """Counts of hop times between ``edges_ms[i]`` and ``edges_ms[i + 1]``."""

    edges_ms: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Timing:
    """Time in the model per hop, in one mode."""

    hops: int
    deadline_ms: float
    """Duration of a hop."""
    mean_ms: float
    std_ms: float
    p50_ms: float
    p90_ms: float | None
    """Null, like the other percentiles, with too few hops to have one above it: 10 for p90, 20 for
    p95, 100 for p99, 1000 for p99.9."""
    p95_ms: float | None
    p99_ms: float | None
    p999_ms: float | None
    max_ms: float
    rtf: float | None
    """Mean time relative to the hop duration; below 1 is real time. Null for less than 1 s of
    audio."""
    misses: int
    """Tight: hops longer than the deadline. Paced: hops not finished when the next one was due."""
    jitter_ms: float | None
    """Paced: standard deviation of the hops' start delay; null in tight mode."""
    wake_p99_ms: float | None
    """Paced: 99th percentile of the hops' start delay; null for fewer than 100 hops."""
    histogram: Histogram


@dataclass(frozen=True)
class ColdStart:
    """The first hop of a new process, in ms, excluding the interpreter's own start."""

    import_ms: float
    open_ms: float
    first_step_ms: float
    total_ms: float


@dataclass(frozen=True)
class Memory:
    """Resident memory of a new process after its first hop, in MB of 1e6 bytes."""

    rss_mb: float
    peak_rss_mb: float


@dataclass(frozen=True)
class Latency:
    """The parts of the latency; the total is null while a part is unknown."""

    algorithmic_ms: float
    """One hop to collect plus the look-ahead of the graph."""
    buffer_ms: float | None
    """Buffer of the opened audio streams, with the reserve; null if none was open."""
    compute_ms: float
    compute_percentile: Literal["p99", "max"]
    """``max`` if too few hops were timed for p99."""
    compute_mode: Literal["tight", "paced", "live"]
    total_ms: float | None
    resampling_ms: float | None = None
    """Between the cards' rates and the model's; null if no stream was open."""
    chain_ms: float | None = None
    """Delay of the stages around the model; null if no stream was open."""


@dataclass(frozen=True)
class Report:
    """One profile, or one live run."""

    schema_version: int
    created: str
    """UTC, ISO 8601."""
    environment: Environment
    subject: Subject
    setup: Setup
    machine: Machine
    before: Sensors
    after: Sensors
    latency: Latency
    tight: Timing | None
    paced: Timing | None
    cold_start: ColdStart | None
    memory: Memory | None
    ops: tuple[OpTime, ...] | None
    live: LiveRun | None = None
    """The live run; null in profiles and in reports of version 0.1."""
    ops_missing: str | None = None
    """Why there is no time by kind of node although it was requested; null otherwise."""
    estimate: HopEstimate | None = None
    """Basis of the times if ``environment`` is ``estimated``; null in all others."""

    @property
    def misses(self) -> int:
        """Missed deadlines in all modes."""
        late = self.live.late if self.live else 0
        return late + sum(timing.misses for timing in (self.tight, self.paced) if timing)

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(asdict(self), indent=2, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, data: bytes) -> Report:
        """Parse a report strictly; raises `FieldError` with one line."""
        value = parse_object(data)
        version = value.get("schema_version")
        if version != SCHEMA_VERSION:
            raise FieldError(f"schema_version is {version!r:.40}, this reads {SCHEMA_VERSION}")
        report = from_json_value(cls, value)
        for timing in (report.tight, report.paced):
            if timing:
                _check_histogram(timing.histogram)
        return report


def _check_histogram(histogram: Histogram) -> None:
    """Check that counts have edges, in increasing order: code that draws it relies on that."""
    edges, counts = histogram.edges_ms, histogram.counts
    if not 0 < len(counts) <= _BINS or len(edges) != len(counts) + 1:
        raise FieldError(
            f"histogram has {len(edges)} edges and {len(counts)} counts, one edge more than counts "
            f"belongs, at most {_BINS} counts"
        )
    if any(one >= other for one, other in pairwise(edges)):
        raise FieldError("histogram.edges_ms do not rise")
    if any(not 0 <= count <= _COUNT for count in counts):
        raise FieldError(f"histogram.counts has to hold numbers from 0 to {_COUNT}")


def report_schema() -> dict[str, object]:
    """Return the JSON Schema of `Report`."""
    return {"title": "Edge VC profile report", **json_schema(Report)}
