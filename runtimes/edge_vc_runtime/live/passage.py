"""The way of the voice through a pair of opened cards, from their start until they close."""

from __future__ import annotations

from math import ceil, gcd

import numpy as np

from edge_vc_runtime.live.elastic import ElasticHops
from edge_vc_runtime.live.live_input import LiveInput
from edge_vc_runtime.live.live_output import LiveOutput
from edge_vc_runtime.samples import Samples

_WATCHED_S = 0.5  # so long too much delay has to last before hops are left out
_MOST_HOPS = 4  # beyond the reserve; more than these are left out at once, fewer one by one
_SLACK_S = 0.001  # timers and callbacks that are looked for: see LiveInput.wait_s
_MOST_RESERVE_S = 0.02  # a rough start must not mean delay for hours: the governor adds more


class Passage:
    """Settles the cards, finds the reserve, then holds the delay at it.

    A card's first callbacks are irregular. For `settle_s` the microphone is discarded and the
    loudspeaker silent, and in its second half the callbacks' rhythm is watched: what they were late
    by, the longest step and one callback are the reserve, the frames that wait when a hop is
    written. Less would be heard as a gap, more as delay. A microphone's callback counts as late by
    its whole period at least: through a sound server a few in every minute are, and none of them
    need be among the first.

    The delay is held from both sides. After a gap, hops that came in meanwhile are dropped. Where a
    card took too few samples (a sound server that was kept waiting plays silence of its own), the
    output ring stays too full: hops are left out again.
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
        """Sum of the frames that waited before each of them."""
        self.lowest_fill: int | None = None
        """Fewest frames that waited before one of them since another thread set it to None."""
        self.reserve = 0
        """Frames, without the governor's hops."""
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
        """Whether hops are being left out: the delay is about to become what it should be."""
        return self._skips != 0 or self.elastic.excess > 0

    def settle(self) -> bool:
        """Discard what the microphone gave so far; return whether the rhythm is known."""
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
        """Write a converted hop; return the hops that were dropped to catch up."""
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
        """Return how unevenly hops become complete where callbacks do not divide them."""
        frames = self.input.format.frames
        return (frames - gcd(frames, self._hop_frames_in)) / self.input.format.sample_rate

    def _target(self) -> int:
        hops = min(self.elastic.hops, self.elastic.placed)
        return self.reserve + round(hops * self._hop_frames)

    def _catch_up(self) -> int:
        """After a gap: drop whole hops that came in meanwhile, or the delay would stay longer.

        The next hop is complete sooner by what it has already. So much less silence is needed for
        the reserve to be there when it comes: none at all where this hop alone was late.
        """
        keep = self.input.available % self._hop_frames_in
        dropped = self.input.discard(keep)
        here = round(keep * self._hop_frames / self._hop_frames_in)
        self.output.top_up(self._target() - here)
        self._least, self._since = 1 << 62, 0
        return dropped // self._hop_frames_in

    def _watch(self, fill: int) -> int:
        """Leave a hop out when more than the reserve and a hop waited all the time.

        Returns how many are going to be left out at a place that fits.
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
