"""The first hop of a new process: its duration and the memory in use after it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from edge_vc_runtime.profiling.report import ColdStart, Memory

_TIMEOUT_S = 120
# Runs in a new interpreter, so that this process's imports do not affect the figures.
_SCRIPT = """
import sys, time
begin = time.perf_counter()
import numpy
from edge_vc_runtime.session import Session
from edge_vc_runtime.engines.registry import load_engine
bundle, engine, threads, precision, tier = sys.argv[1:]
load_engine(engine)
imported = time.perf_counter()
session = Session.open(bundle, engine, int(threads), precision, tier)
opened = time.perf_counter()
session.step(numpy.zeros(session.hop, numpy.float32))
done = time.perf_counter()
import json
from edge_vc_runtime.profiling.machine import resident_mb
print(json.dumps([imported - begin, opened - imported, done - opened, *resident_mb()]))
"""


class ColdStartError(Exception):
    """The measuring process failed; one line."""


def measure_cold_start(
    bundle: Path, engine: str, threads: int, precision: str, tier: str
) -> tuple[ColdStart, Memory]:
    """Start a new interpreter that opens ``bundle`` and runs one step.

    Files are in the page cache: this measures a restart, not the first start after boot.
    """
    command = [sys.executable, "-c", _SCRIPT, str(bundle), engine, str(threads), precision, tier]
    environment = os.environ | {"PYTHONSAFEPATH": "1"}
    try:
        child = subprocess.run(
            command, env=environment, capture_output=True, timeout=_TIMEOUT_S, check=True
        )
        values = json.loads(child.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise ColdStartError(f"cold start: the measuring process failed ({error})") from error
    imported, opened, stepped, rss, peak = values
    start = ColdStart(
        import_ms=1e3 * imported,
        open_ms=1e3 * opened,
        first_step_ms=1e3 * stepped,
        total_ms=1e3 * (imported + opened + stepped),
    )
    return start, Memory(rss_mb=rss, peak_rss_mb=peak)
