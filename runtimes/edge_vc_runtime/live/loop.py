"""The audio loop: a microphone, a converter and a loudspeaker, for hours."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from edge_vc_runtime.audio.block_resampler import fits_blocks
from edge_vc_runtime.audio.drifting_resampler import DriftingResampler
from edge_vc_runtime.audio.sinc_resampler import SincResampler
from edge_vc_runtime.devices.backend import Backend
from edge_vc_runtime.devices.error import DeviceError
from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.live.counters import LiveCounters
from edge_vc_runtime.live.device_choice import DeviceChoice
from edge_vc_runtime.live.device_pair import DevicePair
from edge_vc_runtime.live.elastic import ElasticHops
from edge_vc_runtime.live.events import EventLog, silent_log
from edge_vc_runtime.live.hop_times import HopTimes
from edge_vc_runtime.live.hop_worker import HopWorker
from edge_vc_runtime.live.inference_thread import InferenceThread
from edge_vc_runtime.live.live_input import LiveInput
from edge_vc_runtime.live.live_output import LiveOutput
from edge_vc_runtime.live.passage import Passage
from edge_vc_runtime.live.realtime import RealtimeSettings
from edge_vc_runtime.live.sample_tap import SampleTap
from edge_vc_runtime.live.snapshot import DelayParts, LiveSnapshot, LiveState

_LOOK_EVERY_S = 0.5
"""Interval of the search for a vanished device."""


@dataclass(frozen=True)
class LoopSettings:
    """Settings of a loop besides its converter."""

    devices: DeviceChoice = field(default_factory=DeviceChoice)
    channel: int | None = None
    """Input channel, from 0; None: the mean of all."""
    reserve_ms: float | None = None
    """Audio waiting in the output ring when a hop is written; None: derived from the cards."""
    settle_s: float = 0.1
    """Time for which the cards are observed before the first output."""
    step_s: float = 0.001
    """The longest step to expect."""
    correct_drift: bool = False
    """Whether the output resampler supports `LiveLoop.set_ppm`."""
    realtime: RealtimeSettings = field(default_factory=RealtimeSettings)


class LiveLoop:
    """Opens the cards, converts until `stop`, and reopens them when they come back.

    `tend` is called about ten times a second by one thread, which may be the main thread;
    `snapshot`, `take_fill` and the setters by any.
    """

    def __init__(
        self,
        backend: Backend,
        converter: HopConverter,
        settings: LoopSettings | None = None,
        input_taps: Sequence[SampleTap] = (),
        output_taps: Sequence[SampleTap] = (),
        log: EventLog = silent_log,
    ) -> None:
        self.counters = LiveCounters()
        self.settings = settings or LoopSettings()
        self.state: LiveState = "starting"
        self.pair: DevicePair | None = None
        """The opened devices, None while one is gone."""
        self._backend = backend
        self._converter = converter
        self._worker = HopWorker(converter, self.counters, input_taps, output_taps)
        self._thread = InferenceThread(self._worker, self.settings.realtime)
        self._elastic = ElasticHops(converter.hop)
        self._log = log
        self._began = time.monotonic()
        self._next_look = 0.0
        self._fills = (0, 0)
        self._ppm = 0.0
        self._devices = self.settings.devices

    @property
    def times(self) -> HopTimes:
        """Durations of all steps since the start."""
        return self._worker.times

    @property
    def notice(self) -> str:
        """One line if no real-time priority was granted, otherwise empty."""
        return self._thread.notice

    def start(self) -> None:
        """Open the cards and start; raises `DeviceError`, `AudioIOError`."""
        self._began = time.monotonic()
        self._open()
        self._thread.start()

    def tend(self) -> None:
        """Detect a vanished device, and search for it; raises the error that ended inference."""
        if self._thread.failure is not None:
            raise self._thread.failure
        if self.pair is not None:
            if not self.pair.active:
                self._lose()
        elif self.state == "waiting" and time.monotonic() >= self._next_look:
            self._look()

    def stop(self) -> None:
        """Stop and close the cards; may be called repeatedly."""
        self._thread.stop()
        self._worker.passage = None
        if self.pair is not None:
            self.pair.close()
            self.pair = None
        self.state = "stopped"

    def set_reserve_hops(self, hops: int) -> None:
        """Set the delay to this many hops more than at the start."""
        self._elastic.set_hops(hops)

    def set_buffer(self, factor: int) -> None:
        """Reopen the cards, the loudspeaker with a buffer ``factor`` times as long.

        To be called on the thread that calls `tend`; causes about 0.3 s of silence.
        """
        self._devices = replace(self._devices, buffer_factor=factor)
        pair, self.pair = self.pair, None
        self._worker.passage = None
        if pair is None:
            return
        pair.close()
        try:
            self._open()
        except DeviceError:
            self.state = "waiting"
            self._next_look = time.monotonic() + _LOOK_EVERY_S

    def set_ppm(self, ppm: float) -> None:
        """Output this many more samples per million, if the output resampler supports it."""
        self._ppm = ppm
        passage = self._worker.passage
        if passage is not None:
            passage.output.set_ppm(ppm)

    def take_fill(self) -> float | None:
        """Return the mean number of frames in the output ring before each hop since the last call.

        At the output card's rate; None if no hop was written.
        """
        passage = self._worker.passage
        if passage is None:
            return None
        before, self._fills = self._fills, (passage.fill_sum, passage.fills)
        count = self._fills[1] - before[1]
        return (self._fills[0] - before[0]) / count if count > 0 else None

    def take_least_fill(self) -> float | None:
        """Return the minimum number of hops waiting in the output ring before one was written.

        Since the last call; None if none was written.
        """
        passage = self._worker.passage
        if passage is None or passage.lowest_fill is None:
            return None
        lowest, passage.lowest_fill = passage.lowest_fill, None
        seconds = lowest / passage.output.format.sample_rate
        return seconds * self._converter.sample_rate / self._converter.hop

    @property
    def reserve_hops(self) -> int:
        """Hops of delay in effect; those of `set_reserve_hops` take up to half a second."""
        return self._elastic.placed

    @property
    def leaving_out(self) -> bool:
        """Whether hops are being dropped because too much audio is waiting."""
        passage = self._worker.passage
        return passage is not None and passage.leaving_out

    def snapshot(self) -> LiveSnapshot:
        """Return the current state; tier, bypass, gate and parameters are added by the chain."""
        counters, worker, pair = self.counters, self._worker, self.pair
        return LiveSnapshot(
            state=self.state,
            seconds=time.monotonic() - self._began,
            hops=counters.hops,
            late=counters.late,
            input_overflows=counters.input_overflows,
            output_underflows=counters.output_underflows,
            muted=counters.muted,
            reopened=counters.reopened,
            dropped=counters.dropped,
            input_db=worker.input_level.db,
            output_db=worker.output_level.db,
            p50_ms=worker.recent.percentile_ms(50),
            p99_ms=worker.recent.percentile_ms(99),
            rtf=worker.recent.rtf,
            delay=self.delay_parts(),
            tier="",
            bypassed=False,
            gate_open=True,
            drift_ppm=self._ppm,
            input_device=pair.input_device.name if pair else "",
            output_device=pair.output_device.name if pair else "",
        )

    def delay_parts(self) -> DelayParts:
        """Return the parts of the delay; the converter's whole delay counts as algorithmic."""
        hop, rate = self._converter.hop, self._converter.sample_rate
        pair, passage = self.pair, self._worker.passage
        reserve = resampling = 0.0
        if passage is not None:
            frames = passage.reserve / passage.output.format.sample_rate
            reserve = frames * 1000 + self._elastic.hops * hop / rate * 1000
            resampling = passage.input.delay_ms + passage.output.delay_ms
        return DelayParts(
            input_buffer_ms=pair.input.latency_ms if pair else None,
            output_buffer_ms=pair.output.latency_ms if pair else None,
            resampling_ms=resampling,
            algorithmic_ms=(hop + self._converter.delay) / rate * 1000,
            chain_ms=0.0,
            reserve_ms=reserve,
            compute_ms=self._worker.recent.percentile_ms(99),
        )

    def _open(self) -> None:
        hop_s = self._converter.hop / self._converter.sample_rate
        pair = DevicePair(self._backend, self._devices, hop_s, self._note, self.settings.channel)
        try:
            passage = self._passage(pair)
        except BaseException:
            pair.close()
            raise
        pair.start(passage.input.receive, passage.output.play)
        # From now on use these two, even if numbers and defaults differ when one comes back.
        self._devices = replace(
            self._devices, input=pair.input_device.key, output=pair.output_device.key
        )
        self._fills = (0, 0)
        self.pair, self._worker.passage = pair, passage
        self.state = "running"

    def _passage(self, pair: DevicePair) -> Passage:
        hop, rate = self._converter.hop, self._converter.sample_rate
        settings = self.settings
        self._elastic.reset()
        return Passage(
            LiveInput(pair.input.format, hop, rate, self.counters, settings.channel),
            self._output(pair),
            self._elastic,
            rate,
            settings.step_s,
            None if settings.reserve_ms is None else settings.reserve_ms / 1000,
            settings.settle_s,
        )

    def _output(self, pair: DevicePair) -> LiveOutput:
        hop, rate = self._converter.hop, self._converter.sample_rate
        form, resampler = pair.output.format, None
        if self.settings.correct_drift and not pair.one_clock:
            resampler = _drifting(rate, form.sample_rate, hop)
            resampler.set_ppm(self._ppm)
        return LiveOutput(form, hop, rate, self.counters, resampler)

    def _note(self, line: str) -> None:
        self._log("device", note=line)

    def _lose(self) -> None:
        pair, self.pair = self.pair, None
        self._worker.passage = None
        self.state = "waiting"
        if pair is not None:
            gone = pair.output_device if pair.input.active else pair.input_device
            self._log("device_gone", device=gone.name)
            pair.close()

    def _look(self) -> None:
        try:
            self._open()
        except DeviceError:
            self._next_look = time.monotonic() + _LOOK_EVERY_S
            return
        self.counters.reopened += 1
        self._log("device_back", input=self.pair.input_device.name if self.pair else "")


def _drifting(rate: int, card_rate: int, hop: int) -> DriftingResampler | SincResampler:
    if fits_blocks(rate, card_rate, hop):
        return DriftingResampler(rate, card_rate, hop)
    return SincResampler(rate, card_rate, longest=2 * hop)
