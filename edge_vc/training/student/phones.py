"""Phone alignment by PocketSphinx, to a text or, without one, to recognised words.

Recognised words are kept if their posterior is high.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc.data.pair_set import HOP
from edge_vc.data.transcript import words_of
from edge_vc.settings.optional import require

Phones = NDArray[np.int8]
"""Index into `PHONES` of every frame of 10 ms, ``[F]``; `UNKNOWN` where not aligned."""

_NAMES = (
    "SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW "
    "V W Y Z ZH"
)
PHONES = tuple(_NAMES.split())
"""The phones of the CMU pronouncing dictionary, and silence."""
UNKNOWN = -1
_SURE = 0.5
"""Least posterior of a word recognised without a text (docs/decisions/0008-phones.md)."""
_LATE = 1
"""Frames by which our phones follow PocketSphinx's: its windows begin 8 ms later."""


class PhoneAligner:
    """The recogniser with its own language model and dictionary."""

    def __init__(self) -> None:
        """Load the models, which takes seconds; `EvaluationError` if PocketSphinx is missing."""
        self._sphinx = require("pocketsphinx")
        self._decoder = self._build()

    def label(self, samples: NDArray[np.int16], text: str = "") -> Phones:
        """Return the phones of ``samples`` ``[F * HOP]`` at 16 kHz; all unknown if it fails."""
        pcm = np.ascontiguousarray(samples, "<i2").tobytes()
        frames = np.full(len(samples) // HOP, UNKNOWN, np.int8)
        words = words_of(text)
        told = bool(words) and all(self._decoder.lookup_word(word) for word in words)
        try:
            if told:
                self._decoder.set_align_text(" ".join(words))
            else:
                self._decoder.activate_search("_default")
            self._process(pcm)
            if self._decoder.hyp() is None:
                return frames
            sure = np.ones(len(frames), bool) if told else self._sure_of(len(frames))
            self._decoder.set_alignment()
            self._process(pcm)
            found = self._decoder.get_alignment()
        except RuntimeError:  # no path through the text; the decoder is left in an undefined state
            self._decoder = self._build()
            return frames
        for phone in found.phones() if found is not None else ():
            if phone.name in PHONES:
                start = phone.start + _LATE
                frames[start : start + phone.duration] = PHONES.index(phone.name)
        frames[~sure] = UNKNOWN
        return frames

    def _build(self) -> Any:
        return self._sphinx.Decoder(loglevel="FATAL", cmn="batch")

    def _process(self, pcm: bytes) -> None:
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()

    def _sure_of(self, frames: int) -> NDArray[np.bool_]:
        """Return which frames belong to a word or pause with a high posterior."""
        sure = np.zeros(frames, bool)
        for heard in self._decoder.seg():
            if heard.prob >= _SURE:
                sure[heard.start_frame + _LATE : heard.end_frame + 1 + _LATE] = True
        return sure
