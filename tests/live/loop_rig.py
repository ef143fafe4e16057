"""A microphone, the inference thread's work and a loudspeaker on a clock that a test turns."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.devices.backend import StreamFormat
from edge_vc_runtime.live.converter import HopConverter
from edge_vc_runtime.live.counters import LiveCounters
from edge_vc_runtime.live.elastic import ElasticHops
from edge_vc_runtime.live.hop_worker import HopWorker
from edge_vc_runtime.live.live_input import LiveInput
from edge_vc_runtime.live.live_output import LiveOutput
from edge_vc_runtime.live.passage import Passage


class LoopRig:
    """Both cards run on one clock; the work of a hop takes ``step_s`` of it, 0 by default."""

    def __init__(
        self,
        converter: HopConverter,
        input: StreamFormat,
        output: StreamFormat,
        reserve_s: float = 0.004,
        **taps: list,
    ) -> None:
        rate = converter.sample_rate
        self.counters = LiveCounters()
        self.input = LiveInput(input, converter.hop, rate, self.counters)
        self.output = LiveOutput(output, converter.hop, rate, self.counters)
        self.worker = HopWorker(converter, self.counters, **taps)
        self.elastic = ElasticHops(converter.hop)
        self.worker.passage = Passage(
            self.input, self.output, self.elastic, rate, 0.001, reserve_s, settle_s=0.0
        )
        self.stall_s = 0.0
        self._busy_until = 0.0
        self._recorded = self._forgotten = 0
        self.played: list[np.ndarray] = []

    def run(self, frames: np.ndarray) -> np.ndarray:
        """Record ``[T, channels]``, play meanwhile; return all that was played since `forget`."""
        form_in, form_out = self.input.format, self.output.format
        at = 0
        while at + form_in.frames <= frames.shape[0]:
            now_in = self._recorded / form_in.sample_rate
            blocks = self._forgotten + len(self.played)
            now_out = blocks * form_out.frames / form_out.sample_rate
            if now_in <= now_out:
                self.input.receive(frames[at : at + form_in.frames].copy(), False)
                at += form_in.frames
                self._recorded += form_in.frames
                self._work(now_in)
            else:
                block = np.full((form_out.frames, form_out.channels), 7, form_out.sample_type)
                self.output.play(block, False)
                self.played.append(block)
        return np.concatenate(self.played)

    def forget(self) -> None:
        """Drop what was played, so that memory does not grow with it."""
        self._forgotten += len(self.played)
        self.played.clear()

    def _work(self, now: float) -> None:
        if self.stall_s:
            self._busy_until, self.stall_s = now + self.stall_s, 0.0
        while now >= self._busy_until and self.worker.advance() == 0.0:
            pass
