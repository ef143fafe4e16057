"""A live run as rows of name and value, for the summary at its end and for a saved report."""

from __future__ import annotations

from edge_vc_runtime.profiling.live_run import DelayRange, LatencyParts, LiveRun, StepTimes

_PARTS = {
    "input_buffer_ms": "input buffer",
    "resampling_ms": "resampling",
    "algorithmic_ms": "algorithmic",
    "chain_ms": "chain",
    "compute_ms": "compute",
    "reserve_ms": "reserve",
    "output_buffer_ms": "output buffer",
}


def live_rows(run: LiveRun) -> list[tuple[str, str]]:
    """Return the results of a run, each row a name and a value with its unit."""
    rows = [
        ("devices", f"{run.input_device or 'unknown'} -> {run.output_device or 'unknown'}"),
        ("duration", f"{run.seconds:.1f} s, {run.hops} hops, {run.late} late"),
        ("xruns", f"{run.xruns} (input {run.input_overflows}, output {run.output_underflows})"),
        ("delay min / mean / max", _delay(run.delay)),
        ("delay's parts", _parts(run.parts)),
        ("step p50 / p90 / p99 / max", _step(run.step)),
        ("voice gate open", f"{run.gate_open_share:.0%} of the time"),
        ("device reconnects", str(run.reconnects)),
        ("clock drift", f"{run.drift_ppm:+.1f} ppm"),
        ("tiers", _tiers(run)),
    ]
    if run.muted:
        rows.append(("muted hops", f"{run.muted}: the model's output was not finite"))
    if run.clipped:
        rows.append(("clipped samples", f"{run.clipped}: the input is too loud"))
    if run.dropped:
        rows.append(("dropped hops", f"{run.dropped}, so that the delay did not grow"))
    if run.bypassed_share:
        rows.append(("bypassed", f"{run.bypassed_share:.0%} of the time"))
    if run.temperature_max_c is not None:
        rows.append(("temperature", f"at most {run.temperature_max_c:.1f} C"))
    if run.throttled is not None:
        rows.append(("throttled", run.throttled))
    return rows


def _delay(delay: DelayRange | None) -> str:
    if delay is None:
        return "unknown: the streams did not state their latency"
    low, mean, high = delay.min_ms, delay.mean_ms, delay.max_ms
    return f"{low:.1f} / {mean:.1f} / {high:.1f} ms, plus the cards' converters"


def _parts(parts: LatencyParts) -> str:
    known = ((title, getattr(parts, key)) for key, title in _PARTS.items())
    return ", ".join(
        f"{title} {'unknown' if value is None else f'{value:.1f}'}" for title, value in known
    )


def _step(step: StepTimes | None) -> str:
    if step is None:
        return "no hop was converted"
    times = (step.p50_ms, step.p90_ms, step.p99_ms, step.max_ms)
    shown = " / ".join("-" if value is None else f"{value:.2f}" for value in times)
    factor = "" if step.rtf is None else f" (RTF {step.rtf:.4f})"
    return f"{shown} ms of {step.deadline_ms:g} ms{factor}"


def _tiers(run: LiveRun) -> str:
    used = ", ".join(f"{use.tier or 'unnamed'} {use.seconds:.0f} s" for use in run.tiers)
    return f"{used or 'none'}; changes: {run.tier_changes}"
