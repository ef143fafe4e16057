"""A measured delay as text, or what to do if nothing was measured."""

from __future__ import annotations

import json
from dataclasses import asdict

from edge_vc_runtime.latency.options import LatencyOptions
from edge_vc_runtime.latency.round_trip import RoundTrip

_SILENT = 0.001  # -60 dBFS
_CLIPPED = 0.99


def describe_round_trip(made: RoundTrip, options: LatencyOptions) -> list[str]:
    """Return the result and its confidence; no number if it is uncertain."""
    if not made.found:
        return _advice(made, options)
    what = "through the running program" if options.through else "round trip of the devices"
    lines = [
        f"{what}: {made.median_ms:.1f} ms (median of {len(made.delays_ms)} of {made.repeats}, "
        f"spread {made.spread_ms:.1f} ms, correlation peak {made.confidence:.0f} times its floor)"
    ]
    if options.through:
        lines += _through(made, options)
    else:
        lines.append(
            "a running conversion adds resampling, algorithmic delay, chain, compute and reserve: "
            "the budget that `run` prints"
        )
    if made.xruns:
        lines.append(f"warning: {made.xruns} times a card lost samples, perhaps causing the spread")
    return lines


def round_trip_json(made: RoundTrip, options: LatencyOptions) -> str:
    """Return the result as JSON; ``delay_ms`` is null if there is no reliable result."""
    ear = None
    if made.found and options.through and options.own_ms is not None:
        ear = made.median_ms - options.own_ms
    return json.dumps(
        {
            "found": made.found,
            "through": options.through,
            "delay_ms": made.median_ms if made.found else None,
            "microphone_to_ear_ms": ear,
            "spread_ms": made.spread_ms if made.found else None,
            **asdict(made),
        },
        indent=2,
        allow_nan=False,
    )


def _through(made: RoundTrip, options: LatencyOptions) -> list[str]:
    note = "exact to about 5 ms: a converter keeps loudness, not the waveform"
    if options.own_ms is None:
        return [
            f"{note}; this command's own devices are included: measure them without --through "
            "and give the result as --own-ms"
        ]
    ear = made.median_ms - options.own_ms
    return [
        f"microphone to ear: {ear:.1f} ms, without {options.own_ms:.1f} ms of own devices; {note}"
    ]


def _advice(made: RoundTrip, options: LatencyOptions) -> list[str]:
    name = options.signals()[0].name
    if 2 * len(made.delays_ms) > made.repeats:
        found = ", ".join(f"{delay:.0f}" for delay in made.delays_ms)
        return [
            f"no number: the {name} came back after {found} ms, which is not one delay",
            "sound was lost or added meanwhile (xruns): end other programs, and try again",
        ]
    lines = [f"no number: the {name} was found {len(made.delays_ms)} of {made.repeats} times"]
    if made.peak < _SILENT:
        lines.append(
            "the recording is silent: connect the output to the input with a cable, or hold the "
            "microphone to the loudspeaker; unmute both; see `devices` for --input and --output"
        )
    elif made.peak >= _CLIPPED:
        lines.append("the recording is overdriven: turn the volume down, or give --level -12")
    else:
        lines.append(
            f"the recording is not silent (peak {made.peak:.3f}), but the signal is not in it: "
            "turn the volume up, make the room quiet, check --input and --output"
        )
    if options.through:
        lines.append("is `run` converting between the two devices? a closed gate lets nothing pass")
    return lines
