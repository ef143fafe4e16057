"""Phone error rate by an open phone recogniser, and phone confusions.

The recogniser is hama's Conformer (Apache-2.0, 2.2 million parameters), which has no vocabulary: a
lost consonant is an error even if a language model would restore the word. The expected phones are
the same package's pronunciations of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from edge_vc.audio.io import Samples, resample
from edge_vc.data.transcript import aligned, words_of
from edge_vc.evaluate.metrics.metric import Counts, Metric
from edge_vc.evaluate.metrics.recording import Recording, ScoringContext
from edge_vc.models.content.hama import FRAME, RATE, open_hama
from edge_vc.settings.optional import require

LAST_BLOCK = 4
NOTHING = "-"
"""Marks a missing phone in a pair, for a deletion or an insertion."""
_BLANK_BIAS = -0.1
"""The package's own value, which makes blanks slightly less likely."""
_SILENT = ("<wb>", "<blank>", "<unk>", "<pad>", "<sos>", "<eos>", " ", ",", "%")


@dataclass(frozen=True)
class PhoneScore:
    """Expected and recognised phones, aligned."""

    pairs: tuple[tuple[str, str], ...]
    """Pairs of said and heard phone, `NOTHING` on one side for a deletion or insertion."""

    @property
    def counts(self) -> Counts:
        """Errors among the phones of the text, at most as many as there are phones."""
        total = sum(said != NOTHING for said, _ in self.pairs)
        return Counts(min(total, sum(said != heard for said, heard in self.pairs)), total)

    @property
    def text(self) -> str:
        """``said>heard`` of every pair, as stored in reports."""
        return " ".join(f"{said}>{heard}" for said, heard in self.pairs)


class PhoneRecognizer:
    """Recognises English phones, and returns the phones of English text."""

    def __init__(self) -> None:
        vocabulary = require("hama.vocab").Vocabulary.load()
        self._tokens = [*vocabulary.decoder, "<wb>", "<blank>"]
        self._blank = len(self._tokens) - 1
        self._network = open_hama()
        self._words: Any = require("hama.inference").G2PModel()
        self._known: dict[str, list[str]] = {}

    @torch.no_grad()
    def recognise(self, samples: Samples, sample_rate: int) -> list[str]:
        """Return the phones of ``[T]``, by CTC best-path decoding (Graves et al. 2006)."""
        audio = samples if sample_rate == RATE else resample(samples, sample_rate, RATE)
        padded = np.pad(audio, (0, -len(audio) % FRAME)).astype(np.float32)
        hidden = self._network.hidden(torch.from_numpy(padded)[None], LAST_BLOCK)
        scores = self._network.phones(hidden)[0]
        scores[:, self._blank] += _BLANK_BIAS
        best = torch.unique_consecutive(scores.argmax(1)).tolist()
        names = (self._tokens[index] for index in best)
        return [name for name in names if name not in _SILENT]

    def spell(self, text: str) -> list[str]:
        """Return the phones of an English text, word by word."""
        return [phone for word in words_of(text) for phone in self._phones(word)]

    def _phones(self, word: str) -> list[str]:
        if word not in self._known:
            found = self._words.predict(word).alignments
            names = (step.phoneme for step in found)
            self._known[word] = [name for name in names if name not in _SILENT]
        return self._known[word]


def phone_recognizer(context: ScoringContext) -> PhoneRecognizer:
    """Return the recogniser shared by a process's recordings."""
    return PhoneRecognizer()


def phone_score(recording: Recording) -> PhoneScore | None:
    """Compare the phones of a recording with those of its text; None if the text is not known."""
    text = recording.utterance.text
    if not text:
        return None
    found = recording.context.get(phone_recognizer)
    said, heard = found.spell(text), found.recognise(recording.samples, recording.sample_rate)
    return compare(said, heard)


def compare(said: list[str], heard: list[str]) -> PhoneScore:
    """Align the expected with the recognised phones."""
    return PhoneScore(tuple((a or NOTHING, b or NOTHING) for a, b in aligned(said, heard)))


def compute(recording: Recording) -> Counts | None:
    """Return deleted, inserted and substituted phones; None if the text is not known."""
    found = recording.get(phone_score)
    return None if found is None else found.counts


PHONE_ERROR_RATE = Metric(
    key="phone_error_rate",
    title="PER",
    better=-1,
    compute=compute,
    rank=5,
    needs=("hama",),
    extra="evaluate",  # hama comes with Edge VC itself
    description="Phone error rate of hama's recogniser, which knows no words, against the "
    "pronunciations of the text, as a fraction of the phones.",
)
