"""The work of the inference thread, hop by hop, without a thread of its own."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter_ns

from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.live.counters import LiveCounters
from edge_vc_runtime.live.finite_guard import FiniteGuard
from edge_vc_runtime.live.hop_times import HopTimes
from edge_vc_runtime.live.level_meter import LevelMeter
from edge_vc_runtime.live.passage import Passage
from edge_vc_runtime.live.recent_times import RecentTimes
from edge_vc_runtime.live.sample_tap import SampleTap

_IDLE_S = 0.005  # polling interval while no cards are open


class HopWorker:
    """Takes hops from the microphone through the converter to the loudspeaker.

    No locks or logging; arrays are allocated only by the resamplers and by the engine.
    """

    def __init__(
        self,
        converter: HopConverter,
        counters: LiveCounters,
        input_taps: Sequence[SampleTap] = (),
        output_taps: Sequence[SampleTap] = (),
    ) -> None:
        """``input_taps`` receive the converter's input, ``output_taps`` its output."""
        hop, rate = converter.hop, converter.sample_rate
        self.times = HopTimes(int(hop / rate * 1e9))
        """Step times of the whole run."""
        self.recent = RecentTimes(hop, rate)
        self.input_level = LevelMeter(hop, rate)
        self.output_level = LevelMeter(hop, rate)
        self.passage: Passage | None = None
        """Source and destination of the next hop; set by another thread."""
        self._converter = converter
        self._counters = counters
        self._input_taps = tuple(input_taps)
        self._output_taps = tuple(output_taps)
        self._guard = FiniteGuard(hop)
        self._current: Passage | None = None

    def advance(self) -> float:
        """Convert a hop if one is complete; return the time in s to sleep before the next call."""
        passage = self.passage
        if passage is None:
            return _IDLE_S
        if passage is not self._current:
            self._begin(passage)
        if not passage.settle():
            return _IDLE_S
        hop = passage.input.next_hop()
        if hop is None:
            return passage.input.wait_s()
        for tap in self._input_taps:
            tap.push(hop)
        self.input_level.add(float(hop.dot(hop)))
        begin = perf_counter_ns()
        out = self._converter.step(hop)
        self._count(perf_counter_ns() - begin)
        energy = float(out.dot(out))
        heard = self._guard.admit(out, energy)
        if heard is None:
            self._counters.muted += 1
            self._converter.reset()
            heard, energy = self._guard.silence(), 0.0
        self.output_level.add(energy)
        for tap in self._output_taps:
            tap.push(heard)
        self._counters.dropped += passage.give(heard)
        return 0.0

    def _begin(self, passage: Passage) -> None:
        """Start on other cards, clearing all earlier audio."""
        if self._current is not None:
            self._converter.reset()
        self._current = passage

    def _count(self, duration_ns: int) -> None:
        self.times.record(duration_ns)
        self.recent.record(duration_ns)
        self._counters.hops += 1
        if duration_ns > self.times.deadline_ns:
            self._counters.late += 1
