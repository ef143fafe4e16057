"""Phone error rate by an open phone recogniser, and which phone was heard as which.

The recogniser is hama's Conformer (Apache-2.0, 2.2 million parameters), which knows no words: a
lost consonant is an error even where a language model would restore the word. What should be heard
comes from the same package's pronunciations of the text.
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
"""Stands for no phone in a pair: one that was lost, or one too many."""
_BLANK_BIAS = -0.1
"""The package's own: it decides for the blank a little less often."""
_SILENT = ("<wb>", "<blank>", "<unk>", "<pad>", "<sos>", "<eos>", " ", ",", "%")


@dataclass(frozen=True)
class PhoneScore:
    """What was to be heard and what was, phone by phone."""

    pairs: tuple[tuple[str, str], ...]
    """Said and heard, `NOTHING` on one side where a phone was lost or added."""

    @property
    def counts(self) -> Counts:
        """Errors among the phones of the text, as many as there are phones at the most."""
        total = sum(said != NOTHING for said, _ in self.pairs)
        return Counts(min(total, sum(said != heard for said, heard in self.pairs)), total)

    @property
    def text(self) -> str:
        """``said>heard`` of every pair, as reports keep it."""
        return " ".join(f"{said}>{heard}" for said, heard in self.pairs)


class PhoneRecognizer:
    """Hears phones of English and knows those of its words."""

    def __init__(self) -> None:
        vocabulary = require("hama.vocab").Vocabulary.load()
        self._tokens = [*vocabulary.decoder, "<wb>", "<blank>"]
        self._blank = len(self._tokens) - 1
        self._network = open_hama()
        self._words: Any = require("hama.inference").G2PModel()
        self._known: dict[str, list[str]] = {}

    @torch.no_grad()
    def recognise(self, samples: Samples, sample_rate: int) -> list[str]:
        """Return the phones of ``[T]``, best path of a CTC (Graves et al. 2006)."""
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
    """Return the recogniser that a process's recordings share."""
    return PhoneRecognizer()


def phone_score(recording: Recording) -> PhoneScore | None:
    """Compare the phones of a recording with those of its text; None where that is not known."""
    text = recording.utterance.text
    if not text:
        return None
    found = recording.context.get(phone_recognizer)
    said, heard = found.spell(text), found.recognise(recording.samples, recording.sample_rate)
    return compare(said, heard)


def compare(said: list[str], heard: list[str]) -> PhoneScore:
    """Return what became of each phone."""
    return PhoneScore(tuple((a or NOTHING, b or NOTHING) for a, b in aligned(said, heard)))


def compute(recording: Recording) -> Counts | None:
    """Return lost, added and mistaken phones; None where the text is not known."""
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
