"""The governor and the drift correction of a running loop, as an observer of its snapshots."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edge_vc_runtime.governor.governor import Governor
from edge_vc_runtime.governor.governor_options import GovernorOptions
from edge_vc_runtime.governor.observation import Observation
from edge_vc_runtime.live.drift import DriftController
from edge_vc_runtime.live.events import EventLog, silent_log
from edge_vc_runtime.live.loop import LiveLoop
from edge_vc_runtime.live.snapshot import LiveSnapshot
from edge_vc_runtime.sensors import Sensors, read_sensors
from edge_vc_runtime.tiers.tiers import TieredConverter

_SENSORS_EVERY_S = 1.0


@dataclass
class LoopActuators:
    """What the governor controls: the loop's delay, the converter's tier, the chain's bypass."""

    loop: LiveLoop
    converter: TieredConverter
    bypass: Callable[[bool], None] | None = None
    """If None, the governor never uses bypass."""

    def set_reserve_hops(self, hops: int) -> None:
        """Set the delay to this many hops more than at the start."""
        self.loop.set_reserve_hops(hops)

    def set_buffer(self, factor: int) -> None:
        """Set the loudspeaker's own buffer to a multiple of its length."""
        self.loop.set_buffer(factor)

    def select_tier(self, name: str) -> None:
        """Switch to a tier."""
        self.converter.select(name)

    def set_bypass(self, on: bool) -> None:
        """Pass the microphone signal unconverted, or convert again."""
        if self.bypass is not None:
            self.bypass(on)


class Steering:
    """Called ten times a second on the monitor's thread; see `MonitorThread`."""

    def __init__(
        self,
        actuators: LoopActuators,
        options: GovernorOptions,
        log: EventLog = silent_log,
        sensors: Callable[[], Sensors] = read_sensors,
    ) -> None:
        self._actuators = actuators
        self._loop, self._converter = actuators.loop, actuators.converter
        settings = options.settings
        if actuators.bypass is None:
            settings = replace(settings, bypass=False)
        if self._loop.settings.devices.buffer_ms is not None:
            settings = replace(settings, most_buffer=1)  # the user has set its length
        self._governor = Governor(self._converter.costs, settings, self._converter.tier)
        self._enabled = options.enabled
        self._log = log
        self._read_sensors = sensors
        self._sensors = sensors()
        self._sensed = 0.0
        self._hop_ms = self._converter.hop / self._converter.sample_rate * 1000
        self._drift: DriftController | None = None
        self._disturbed = (0, 0, 0, 0)
        self._reserve_hops = 0

    def complete(self, seen: LiveSnapshot) -> LiveSnapshot:
        """Add the active tier, the governor's bypass, temperature and throttling bits."""
        if seen.seconds - self._sensed >= _SENSORS_EVERY_S:
            self._sensed = seen.seconds
            self._sensors = self._read_sensors()
        return replace(
            seen,
            tier=self._converter.tier,
            bypassed=seen.bypassed or self._governor.bypassed,
            temperature_c=self._sensors.temperature_c,
            throttled=self._sensors.throttled,
        )

    def observe(self, seen: LiveSnapshot) -> None:
        """Correct clock drift, and let the governor decide."""
        self._correct_drift(seen)
        if self._enabled:
            self._governor.govern(self._observation(seen), self._actuators, self._log)

    def _observation(self, seen: LiveSnapshot) -> Observation:
        # While the model is idle, the last second's steps say nothing about it.
        resting = self._governor.bypassed or not seen.gate_open
        return Observation(
            seconds=seen.seconds,
            hop_ms=self._hop_ms,
            p50_ms=None if resting else seen.p50_ms,
            p99_ms=None if resting else seen.p99_ms,
            callback_hops=self._callback_hops(),
            least_fill=self._loop.take_least_fill(),
            xruns=seen.xruns,
            starved=self._loop.counters.starved,
            temperature_c=seen.temperature_c,
            throttled=seen.throttled,
            running=seen.state == "running",
        )

    def _callback_hops(self) -> float:
        pair = self._loop.pair
        if pair is None:
            return Observation.callback_hops
        form = pair.output.format
        return form.frames / form.sample_rate * 1000 / self._hop_ms

    def _correct_drift(self, seen: LiveSnapshot) -> None:
        pair, fill = self._loop.pair, self._loop.take_fill()
        if pair is None or fill is None:
            return
        rate = pair.output.format.sample_rate
        drift, moved = self._drift, (id(pair), seen.reopened, seen.xruns, seen.dropped)
        if drift is None or drift.sample_rate != rate:
            drift = self._drift = DriftController(rate)
        elif moved != self._disturbed or self._loop.leaving_out:
            # Different cards, or a gap that the loop has compensated: the earlier fill is invalid.
            # Kept while hops are dropped, it would refill the ring until they are dropped again.
            drift.restart()
        self._disturbed = moved
        hops = self._loop.reserve_hops
        if hops != self._reserve_hops:
            drift.shift((hops - self._reserve_hops) * self._hop_ms / 1000 * rate)
            self._reserve_hops = hops
        self._loop.set_ppm(drift.update(fill, seen.seconds))
