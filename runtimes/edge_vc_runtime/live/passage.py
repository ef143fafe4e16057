"""The audio path through a pair of opened cards, from their start until they close."""

from __future__ import annotations

from math import ceil, gcd

import numpy as np

from edge_vc_runtime.live.elastic import ElasticHops
from edge_vc_runtime.live.live_input import LiveInput
from edge_vc_runtime.live.live_output import LiveOutput
from edge_vc_runtime.samples import Samples

_WATCHED_S = 0.5  # duration of excess delay before hops are dropped
_MOST_HOPS = 4  # excess over the reserve; more is dropped at once, less one hop at a time
_SLACK_S = 0.001  # for timers and polling of callbacks: see LiveInput.wait_s
_MOST_RESERVE_S = 0.02  # a rough start must not add delay for hours: the governor adds more


class Passage:
    """Waits for the cards to settle, determines the reserve, then keeps the delay at it.

    A card's first callbacks are irregular. For `settle_s` the microphone is discarded and the
    loudspeaker is silent, and in the second half the callback timing is observed: their lateness,
    the longest step and one callback make up the reserve, the frames waiting when a hop is written.
    Less would cause gaps, more adds delay. A microphone's callback counts as late by at least its
    whole period: through a sound server a few per minute are, and may not occur among the first.

    The delay is controlled in both directions. After a gap, hops that arrived in the meantime are
    dropped. If a card took too few samples (a sound server that was kept waiting plays silence of
    its own), the output ring stays too full: hops are dropped again.
    """

    def __init__(
        self,
        input: LiveInput,
        output: LiveOutput,
        elastic: ElasticHops,
        sample_rate: int,
        step_s: float,
        reserve_s: float | None,
        settle_s: float,
    ) -> None:
        """``reserve_s`` replaces the derived one; ``step_s`` is the longest step to expect."""
        self.input = input
        self.output = output
        self.elastic = elastic
        self.fills = 0
        """Hops written since the start, and their `fill_sum`."""
        self.fill_sum = 0
        """Sum of the frames waiting before each of them."""
        self.lowest_fill: int | None = None
        """Minimum frames waiting before one of them since another thread set it to None."""
        self.reserve = 0
        """Reserve in frames, without the governor's hops."""
        self._step_s = step_s
        self._reserve_s = reserve_s
        self._settle_frames = self._unsettled = int(settle_s * input.format.sample_rate)
        self._hop_frames = elastic.hop * output.format.sample_rate / sample_rate
        self._hop_frames_in = ceil(elastic.hop * input.format.sample_rate / sample_rate)
        self._watched = ceil(_WATCHED_S * sample_rate / elastic.hop)
        self._settled = False
        self._missed = 0
        self._least = 1 << 62
        self._since = 0
        self._rise = (np.arange(1, elastic.hop + 1) / elastic.hop).astype(np.float32)
        self._fall = self._rise[::-1].copy()
        self._faded = np.zeros(elastic.hop, np.float32)
        self._skips = 0

    @property
    def leaving_out(self) -> bool:
        """Whether hops are being dropped to return to the intended delay."""
        return self._skips != 0 or self.elastic.excess > 0

    def settle(self) -> bool:
        """Discard microphone input so far; return whether the callback timing is known."""
        if self._settled:
            return True
        if self._unsettled > 0:
            before = self._unsettled
            self._unsettled -= self.input.discard()
            half = self._settle_frames // 2
            if self._unsettled <= half < before:
                self.input.worst_gap_s = self.output.worst_gap_s = 0.0
            return False
        self.reserve = round(self._find_reserve() * self.output.format.sample_rate)
        self._settled = True
        return True

    def give(self, hop: Samples) -> int:
        """Write a converted hop; return the number of hops dropped to catch up."""
        if self._skips > 1:
            self._skips -= 1
            return 1
        output = self.output
        dropped = 0
        if not output.flowing:
            output.top_up(self._target())
        elif output.missed != self._missed:
            self._missed = output.missed
            dropped = self._catch_up()
        fill = output.fill
        dropped += self._watch(fill)
        output.write(self.elastic.push(self._fade(hop)))
        output.flowing = True
        self.fill_sum += fill
        self.fills += 1
        return dropped

    def _find_reserve(self) -> float:
        if self._reserve_s is not None:
            return self._reserve_s
        sides = self.input.format, self.output.format
        period_in, period = (form.frames / form.sample_rate for form in sides)
        late_in = max(self.input.worst_gap_s - period_in, period_in)
        late = late_in + max(self.output.worst_gap_s - period, 0.0)
        needed = period + self._join_s() + late + self._step_s + _SLACK_S
        return min(needed, _MOST_RESERVE_S)

    def _join_s(self) -> float:
        """Return the irregularity of hop completion if callbacks do not divide a hop."""
        frames = self.input.format.frames
        return (frames - gcd(frames, self._hop_frames_in)) / self.input.format.sample_rate

    def _target(self) -> int:
        hops = min(self.elastic.hops, self.elastic.placed)
        return self.reserve + round(hops * self._hop_frames)

    def _catch_up(self) -> int:
        """After a gap, drop whole hops that have arrived, or the delay would stay longer.

        The next hop is complete sooner by the frames it already has. That much less silence is
        needed to have the reserve when it arrives: none at all if only this hop was late.
        """
        keep = self.input.available % self._hop_frames_in
        dropped = self.input.discard(keep)
        here = round(keep * self._hop_frames / self._hop_frames_in)
        self.output.top_up(self._target() - here)
        self._least, self._since = 1 << 62, 0
        return dropped // self._hop_frames_in

    def _watch(self, fill: int) -> int:
        """Drop a hop if more than the reserve and a hop were waiting all the time.

        Returns the number of hops that will be dropped at a suitable position.
        """
        lowest = self.lowest_fill
        self.lowest_fill = fill if lowest is None else min(lowest, fill)
        self._least = min(self._least, fill)
        self._since += 1
        if self._since < self._watched:
            return 0
        hops = int((self._least - self._target()) / self._hop_frames)
        self._least, self._since = 1 << 62, 0
        if hops > _MOST_HOPS:
            self._skips = -hops
        elif hops > 0 and not self.elastic.pending:
            self.elastic.drop(1)
            return 1
        return 0

    def _fade(self, hop: Samples) -> Samples:
        """Fade the hop out before skipped ones, and in after them."""
        if self._skips < 0:
            self._skips = 1 - self._skips
            return np.multiply(hop, self._fall, out=self._faded)
        if self._skips == 1:
            self._skips = 0
            return np.multiply(hop, self._rise, out=self._faded)
        return hop
