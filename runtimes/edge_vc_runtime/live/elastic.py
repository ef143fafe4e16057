"""Output delay that can be changed by whole hops without a click."""

from __future__ import annotations

import math

import numpy as np

from edge_vc_runtime.live.crossfade import Crossfade, correlation
from edge_vc_runtime.samples import Samples

_ALIKE = 0.4
"""Neighbouring hops with at least this correlation can be joined inaudibly."""
_QUIET = 1e-3  # RMS, -60 dBFS: a join is inaudible there too
_PATIENCE = {"add": 20, "remove": 50}
"""Maximum number of hops to wait for a suitable position: more delay is urgent, less is not."""


class ElasticHops:
    """Passes hops on; on request, repeats one (one more hop of delay from then on) or drops one.

    This happens where a hop resembles the previous one, or is quiet, and the two are crossfaded.
    `set_hops` may be called from another thread: each number has one writer.
    """

    def __init__(self, hop: int) -> None:
        self.hop = hop
        self._wanted = 0
        self._placed = 0
        self._excess = 0
        self._fade = Crossfade(hop, 1)
        self._last = np.zeros(hop, np.float32)
        self._pair = np.zeros(2 * hop, np.float32)
        self._waited = 0
        self._holding = False

    @property
    def pending(self) -> int:
        """Hops still to be added; negative: to be dropped."""
        return self._wanted - self._placed - self._excess

    @property
    def hops(self) -> int:
        """Hops of delay requested by `set_hops`."""
        return self._wanted

    @property
    def placed(self) -> int:
        """Hops of delay currently in effect."""
        return self._placed

    @property
    def excess(self) -> int:
        """Hops requested by `drop` that have not been dropped yet."""
        return self._excess

    def set_hops(self, hops: int) -> None:
        """Set the delay to ``hops`` hops more than at the start; raises `ValueError` below 0."""
        if hops < 0:
            raise ValueError(f"a reserve of {hops} hops; it cannot be negative")
        self._wanted = hops

    def drop(self, hops: int) -> None:
        """Drop this many hops, to catch up after a stall; `hops` is unchanged."""
        self._excess += hops

    def push(self, audio: Samples) -> Samples:
        """Take ``[hop]`` and return none, one or two hops, overwritten by the next push."""
        if self._holding:
            return self._finish_removal(audio)
        pending = self.pending
        if self._excess and not pending:  # the excess is now the requested delay
            self._placed, self._excess = self._placed + self._excess, 0
        if pending and self._fits(audio, pending):
            if pending > 0:
                return self._repeat(audio)
            self._holding = True
            np.copyto(self._last, audio)
            return self._pair[:0]
        np.copyto(self._last, audio)
        return audio

    def reset(self) -> None:
        """Forget the last hop and pending changes."""
        self._last.fill(0.0)
        self._placed, self._excess = self._wanted, 0
        self._holding = False
        self._waited = 0

    def _fits(self, audio: Samples, pending: int) -> bool:
        self._waited += 1
        patience = _PATIENCE["add" if pending > 0 else "remove"]
        quiet = math.sqrt(float(audio.dot(audio)) / self.hop) < _QUIET
        if quiet or self._waited > patience or correlation(self._last, audio) > _ALIKE:
            self._waited = 0
            return True
        return False

    def _repeat(self, audio: Samples) -> Samples:
        """Return two hops: a fade from this one to the last one, then this one."""
        # The first starts like this hop, which continues the last one, and ends like the last one.
        self._fade.start()
        self._fade.mix(audio, self._last, self._pair[: self.hop])
        self._pair[self.hop :] = audio
        np.copyto(self._last, audio)
        self._placed += 1
        return self._pair

    def _finish_removal(self, audio: Samples) -> Samples:
        """Return one hop for two: it starts like the held one and ends like this one."""
        out = self._pair[: self.hop]
        self._fade.start()
        self._fade.mix(self._last, audio, out)
        np.copyto(self._last, audio)
        self._holding = False
        if self._excess:
            self._excess -= 1
        else:
            self._placed -= 1
        return out
