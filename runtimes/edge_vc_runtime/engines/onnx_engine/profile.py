"""Time per kind of node, from ONNX Runtime's profiler in a separate session."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from pathlib import Path

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.engines.onnx_engine.engine import OnnxEngine, session_options
from edge_vc_runtime.engines.op_time import OpTime
from edge_vc_runtime.samples import Samples

_HOPS = 200


def op_times(
    manifest: Manifest, model: ModelEntry, data: bytes, threads: int, hops: Samples
) -> tuple[OpTime, ...]:
    """Run 200 hops, cycling through ``hops [N, hop]``, and return the time per kind of node.

    The most expensive kind comes first. The profiler counts whole microseconds, so the cost of
    small nodes is underestimated.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = session_options(threads)
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "ops")
        engine = OnnxEngine(manifest, model, data, threads, options)
        for index in range(_HOPS):
            engine.input[:] = hops[index % len(hops)]
            engine.run()
        events = json.loads(Path(engine.end_profiling()).read_bytes())
    return _sum_up(events, _HOPS)


def _sum_up(events: list[dict[str, object]], hops: int) -> tuple[OpTime, ...]:
    spent: dict[str, float] = defaultdict(float)
    calls: dict[str, int] = defaultdict(int)
    for event in events:
        arguments = event.get("args")
        if event.get("cat") != "Node" or not isinstance(arguments, dict):
            continue
        if not str(event.get("name")).endswith("_kernel_time"):
            continue
        op = str(arguments.get("op_name"))
        spent[op] += float(str(event.get("dur", 0)))
        calls[op] += 1
    total = sum(spent.values()) or 1.0
    return tuple(
        OpTime(op, round(calls[op] / hops), spent[op] / hops, spent[op] / total)
        for op in sorted(spent, key=lambda op: -spent[op])
    )
