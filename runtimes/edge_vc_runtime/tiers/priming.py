"""Primes idle tiers once with two seconds of the speaker's audio, a little at a time."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.samples import Samples

PRIMING_HOPS = 200
"""Hops of input for an idle tier, including pauses, which its level estimates need."""
_LEAST_SPEECH = 60
"""Minimum number of those hops that contain speech."""
_SPEECH = 10 ** (-45 / 20)  # RMS: quieter hops count as a pause
_EVERY = 4  # hops of audio per step: an idle tier then costs a quarter of its usual time


class TierPrimer:
    """Records two seconds with speech and determines which idle tier to run on which hop.

    Students adapt to the speaker's level and spectrum: one that starts from its initial state in
    the middle of speech is 17 dB too quiet for the first 0.1 s; after two seconds of the same
    speaker, however long ago, it is within 1 dB.
    """

    def __init__(self, hop: int, tiers: int) -> None:
        self._recording = np.zeros((PRIMING_HOPS, hop), np.float32)
        self._spoken = [False] * PRIMING_HOPS
        self._threshold = hop * _SPEECH**2
        self._waiting = [True] * tiers
        self.restart()

    def restart(self) -> None:
        """Start again, since every tier has returned to its initial state."""
        self._waiting = [True] * len(self._waiting)
        self._hops = 0
        self._speech = 0
        self._frozen = False
        self._played = 0
        self._turn = 0

    def mark(self, tier: int) -> None:
        """Mark a tier as primed with the speaker's audio."""
        self._waiting[tier] = False

    def primed(self, tier: int) -> bool:
        """Return whether a tier has been primed."""
        return not self._waiting[tier]

    def next(self, audio: Samples) -> tuple[int, Samples | None]:
        """Take the input hop; return a tier and the hop to run it on, or None."""
        if True not in self._waiting:
            return 0, None
        if not self._frozen:
            self._record(audio)
            return 0, None
        self._turn = (self._turn + 1) % _EVERY
        if self._turn:
            return 0, None
        return self._play()

    def _record(self, audio: Samples) -> None:
        place = self._hops % PRIMING_HOPS
        spoken = float(audio.dot(audio)) > self._threshold
        if self._hops >= PRIMING_HOPS:
            self._speech -= self._spoken[place]
        self._speech += spoken
        self._spoken[place] = spoken
        np.copyto(self._recording[place], audio)
        self._hops += 1
        self._frozen = self._hops >= PRIMING_HOPS and self._speech >= _LEAST_SPEECH

    def _play(self) -> tuple[int, Samples]:
        tier = self._waiting.index(True)
        hop = self._recording[(self._hops + self._played) % PRIMING_HOPS]
        self._played += 1
        if self._played == PRIMING_HOPS:
            self._played = 0
            self.mark(tier)
        return tier, hop
