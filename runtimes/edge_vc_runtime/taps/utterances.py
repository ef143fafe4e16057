"""Detection of where speech begins and ends, from its level relative to the background."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from edge_vc_runtime.samples import Samples

_BLOCK_S = 0.02
_ABOVE_FLOOR_DB = 9.0
_QUIETEST_DB = -55.0
_RISE_DB_PER_S = 3.0  # rate at which the floor follows a louder background
_LOUDEST_START_DB = -40.0  # the stream may begin in the middle of a word
_HANGOVER_S = 0.5
_BEFORE_S = 0.2


@dataclass
class UtteranceDetector:
    """Cuts a stream into utterances; `push` takes blocks of `block` samples."""

    sample_rate: int
    block: int = field(init=False)
    speaking: bool = False
    before: list[Samples] = field(default_factory=list)
    """The last 0.2 s of blocks before the speech: an onset starts below the threshold."""
    _floor_db: float = _LOUDEST_START_DB
    _quiet_s: float = 0.0

    def __post_init__(self) -> None:
        self.block = int(_BLOCK_S * self.sample_rate)

    def push(self, audio: Samples) -> bool:
        """Take ``[block]`` and return whether someone is speaking."""
        power = float(np.mean(audio.astype(np.float64) ** 2))
        level = 10 * float(np.log10(power + 1e-12))
        loud = level > max(self._floor_db + _ABOVE_FLOOR_DB, _QUIETEST_DB)
        self._floor_db = max(min(level, self._floor_db + _RISE_DB_PER_S * _BLOCK_S), -90.0)
        self._quiet_s = 0.0 if loud else self._quiet_s + _BLOCK_S
        self.speaking = loud or (self.speaking and self._quiet_s < _HANGOVER_S)
        if self.speaking:
            return True
        self.before.append(audio)
        del self.before[: -int(_BEFORE_S / _BLOCK_S)]
        return False
