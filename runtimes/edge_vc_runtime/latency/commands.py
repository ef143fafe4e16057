"""The ``measure-latency`` command, from parsed arguments to an exit code."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from edge_vc_runtime.devices.backend import Backend
from edge_vc_runtime.devices.backends import open_backend
from edge_vc_runtime.devices.negotiation import negotiate
from edge_vc_runtime.devices.selection import find_device
from edge_vc_runtime.errors import UsageError
from edge_vc_runtime.latency.description import describe_round_trip, round_trip_json
from edge_vc_runtime.latency.measurement import StreamPair, measure_round_trip
from edge_vc_runtime.latency.options import LatencyOptions
from edge_vc_runtime.latency.round_trip import RoundTrip
from edge_vc_runtime.message import one_line
from edge_vc_runtime.progress import ProgressBar


def measure_latency(arguments: argparse.Namespace) -> int:
    """``measure-latency``: 0 with a result, 1 if the signal was not found."""
    options = LatencyOptions.from_arguments(arguments)
    if options.own_ms is not None and not options.through:
        raise UsageError("--own-ms is subtracted from a measurement with --through; give both")
    backend = open_backend(options.backend)
    try:
        made = _measure(backend, options)
    finally:
        backend.close()
    if options.json:
        print(round_trip_json(made, options))
    for line in describe_round_trip(made, options):
        print(line, file=sys.stderr if options.json else sys.stdout)
    return 0 if made.found else 1


def _measure(backend: Backend, options: LatencyOptions) -> RoundTrip:
    heard = find_device(backend, options.input, "input", _say)
    played = find_device(backend, options.output, "output", _say)
    signals = options.signals()
    _say(f"plays a {signals[0].name} {options.repeats} times on {one_line(played.name)}, "
         f"listens on {one_line(heard.name)}")  # fmt: skip
    pair = StreamPair(
        partial(negotiate, backend, heard, "input"), partial(negotiate, backend, played, "output")
    )
    longest_s = options.longest_ms / 1e3
    total = sum(signal.seconds + longest_s for signal in signals)
    bar = ProgressBar("measuring", total)
    try:
        return measure_round_trip(pair, signals, options.gain, longest_s, bar.update)
    finally:
        bar.close()


def _say(line: str) -> None:
    print(line, file=sys.stderr)
