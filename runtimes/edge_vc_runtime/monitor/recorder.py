"""Summarises a live run from its snapshots."""

from __future__ import annotations

from dataclasses import asdict

from edge_vc_runtime.live.hop_times import HopTimes
from edge_vc_runtime.live.snapshot import LiveSnapshot
from edge_vc_runtime.profiling.live_run import (
    DelayRange,
    LatencyParts,
    LiveRun,
    StepTimes,
    TierUse,
)


class RunRecorder:
    """Takes snapshots in constant memory; `finish` returns the run."""

    def __init__(self) -> None:
        self.last: LiveSnapshot | None = None
        self._delay: DelayRange | None = None
        self._delay_sum = self._delay_count = 0.0
        self._open_s = self._bypassed_s = 0.0
        self._tiers: dict[str, float] = {}
        self._changes = 0
        self._hottest: float | None = None

    def record(self, now: LiveSnapshot) -> None:
        """Add one snapshot, which applies to the time since the previous one."""
        before, self.last = self.last, now
        passed = max(now.seconds - (before.seconds if before else 0.0), 0.0)
        self._open_s += passed * now.gate_open
        self._bypassed_s += passed * now.bypassed
        self._tiers[now.tier] = self._tiers.get(now.tier, 0.0) + passed
        self._changes += before is not None and before.tier != now.tier
        if now.temperature_c is not None:
            self._hottest = max(now.temperature_c, self._hottest or now.temperature_c)
        if now.state == "running" and now.delay.total_ms is not None:
            self._add_delay(now.delay.total_ms)

    def finish(self, times: HopTimes | None) -> LiveRun | None:
        """Return the run, with the times of all its steps; None if nothing was recorded."""
        now = self.last
        if now is None:
            return None
        lasted = max(now.seconds, 1e-9)
        return LiveRun(
            seconds=now.seconds,
            hops=now.hops,
            late=now.late,
            muted=now.muted,
            input_overflows=now.input_overflows,
            output_underflows=now.output_underflows,
            reconnects=now.reopened,
            step=step_times(times) if times else None,
            delay=self._delay,
            parts=LatencyParts(**asdict(now.delay)),
            gate_open_share=min(self._open_s / lasted, 1.0),
            bypassed_share=min(self._bypassed_s / lasted, 1.0),
            drift_ppm=now.drift_ppm,
            tier_changes=self._changes,
            tiers=tuple(TierUse(tier, seconds) for tier, seconds in self._tiers.items()),
            temperature_max_c=self._hottest,
            throttled=now.throttled,
            input_device=now.input_device,
            output_device=now.output_device,
            dropped=now.dropped,
            clipped=now.clipped,
        )

    def _add_delay(self, ms: float) -> None:
        self._delay_sum += ms
        self._delay_count += 1
        was = self._delay or DelayRange(ms, ms, ms, ms, ms)
        mean = self._delay_sum / self._delay_count
        self._delay = DelayRange(min(was.min_ms, ms), mean, max(was.max_ms, ms), was.first_ms, ms)


def step_times(times: HopTimes) -> StepTimes | None:
    """Return the percentiles of all steps, None before the first."""
    if not times.count:
        return None
    mean_ns = times.total_ns / times.count
    return StepTimes(
        mean_ms=mean_ns / 1e6,
        p50_ms=times.percentile_ms(50) or mean_ns / 1e6,
        p90_ms=times.percentile_ms(90),
        p99_ms=times.percentile_ms(99),
        max_ms=times.max_ns / 1e6,
        deadline_ms=times.deadline_ns / 1e6,
        rtf=times.rtf,
    )
