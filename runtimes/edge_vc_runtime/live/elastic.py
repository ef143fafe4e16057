"""Output delay that grows and shrinks by whole hops without a click."""

from __future__ import annotations

import math

import numpy as np

from edge_vc_runtime.live.crossfade import Crossfade, correlation
from edge_vc_runtime.samples import Samples

_ALIKE = 0.4
"""Neighbouring hops that correlate this much are joined without an audible seam."""
_QUIET = 1e-3  # RMS, -60 dBFS: a seam in there is not heard either
_PATIENCE = {"add": 20, "remove": 50}
"""Hops that a fitting place is waited for: more delay is urgent, less is not."""


class ElasticHops:
    """Passes hops on; when told to, repeats one (one hop later from then on) or leaves one out.

    The place is chosen where a hop resembles the one before, or is quiet, and the two are
    crossfaded. `set_hops` may be called from another thread: each number has one writer.
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
        """Hops that are still to be added, negative: to be left out."""
        return self._wanted - self._placed - self._excess

    @property
    def hops(self) -> int:
        """Hops of delay that `set_hops` asked for."""
        return self._wanted

    @property
    def placed(self) -> int:
        """Those of them that are in place."""
        return self._placed

    @property
    def excess(self) -> int:
        """Hops that `drop` asked for and that have not been left out yet."""
        return self._excess

    def set_hops(self, hops: int) -> None:
        """Have ``hops`` hops more delay than at the start; `ValueError` below 0."""
        if hops < 0:
            raise ValueError(f"a reserve of {hops} hops; it cannot be negative")
        self._wanted = hops

    def drop(self, hops: int) -> None:
        """Leave so many hops out, to catch up after a stall; `hops` stays what it is."""
        self._excess += hops

    def push(self, audio: Samples) -> Samples:
        """Take ``[hop]`` and return none, one or two hops, overwritten by the next push."""
        if self._holding:
            return self._finish_removal(audio)
        pending = self.pending
        if self._excess and not pending:  # what was too much is what is wanted now
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
        """Forget the last hop and what was still to be done."""
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
        """Return two hops: from this one back to the last, then this one."""
        # The first begins as this hop does, where the last one ended, and ends as the last did.
        self._fade.start()
        self._fade.mix(audio, self._last, self._pair[: self.hop])
        self._pair[self.hop :] = audio
        np.copyto(self._last, audio)
        self._placed += 1
        return self._pair

    def _finish_removal(self, audio: Samples) -> Samples:
        """Return one hop for two: it begins as the held one and ends as this one."""
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
