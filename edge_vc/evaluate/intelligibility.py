"""What can be understood: word and character error rates of an offline recogniser.

The recogniser is PocketSphinx with its US English acoustic model and a language model of the
evaluation sentences themselves. With a general language model it errs on more than half of the
words of clean recordings and tells nothing apart; with this one it errs on a few in a hundred, so
what is added is damage to the speech. The rates compare converters, not recognisers.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_vc.audio.io import Samples, resample
from edge_vc.evaluate.requirements import EvaluationError, require
from edge_vc.evaluate.transcripts import edit_distance, words_of

RATE = 16000
"""Sample rate of the acoustic model, in Hz."""


@dataclass(frozen=True)
class Hearing:
    """One sentence as it was said and heard, with the counts that rates are made of."""

    said: str
    heard: str
    word_errors: int
    words: int
    """Words that could have been heard: those of the dictionary."""
    character_errors: int
    characters: int


class Recognizer:
    """PocketSphinx with a language model of given sentences."""

    def __init__(self, sentences: Iterable[str], order: int = 3) -> None:
        """Build the model of the distinct ``sentences``, up to ``order`` words (1 to 3) long.

        Words that the pronouncing dictionary lacks stay out of the model and out of the
        counts; `unknown` names them.
        """
        if order not in (1, 2, 3):
            raise EvaluationError(f"a language model of order {order}; the order is 1, 2 or 3")
        self._sphinx = require("pocketsphinx")
        require("pocketsphinx.lm")
        lists = [words_of(sentence) for sentence in sorted(set(sentences))]
        known = self._dictionary()
        self.unknown = frozenset(word for words in lists for word in words) - known
        texts = [[word for word in words if word in known] for words in lists]
        texts = [words for words in texts if words]
        if not texts:
            raise EvaluationError("a recogniser needs sentences with known words; got none")
        self._decoder = self._build("\n".join(map(" ".join, texts)), order)

    def transcribe(self, samples: Samples, sample_rate: int) -> str:
        """Return the words heard in ``[T]``, in lower case; independent of earlier calls."""
        audio = samples if sample_rate == RATE else resample(samples, sample_rate, RATE)
        pcm = np.round(np.clip(audio, -1.0, 1.0) * 32767).astype("<i2").tobytes()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        best = self._decoder.hyp()
        # Pronunciation variants are written "word(2)".
        return re.sub(r"\(\d+\)", "", best.hypstr) if best is not None else ""

    def listen(self, samples: Samples, sample_rate: int, text: str) -> Hearing:
        """Transcribe ``[T]`` and compare it with what was said."""
        said, heard = words_of(text), self.transcribe(samples, sample_rate)
        free = self.unknown.intersection(said)
        known = [word for word in said if word not in free]
        said_characters, heard_characters = " ".join(said), heard
        return Hearing(
            said=" ".join(said),
            heard=heard,
            word_errors=edit_distance(said, heard.split(), free),
            words=len(known),
            character_errors=edit_distance(said_characters, heard_characters),
            characters=len(said_characters),
        )

    def _dictionary(self) -> frozenset[str]:
        path = Path(self._sphinx.get_model_path()) / "en-us" / "cmudict-en-us.dict"
        lines = path.read_text(encoding="utf-8").splitlines()
        return frozenset(line.split(maxsplit=1)[0] for line in lines if line.strip())

    def _build(self, text: str, order: int) -> Any:
        model = self._sphinx.lm.ArpaBoLM(text=text, add_start=True)
        if order < 3:
            model.grams_3.clear()
        if order < 2:
            model.grams_2.clear()
        model.compute()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sentences.lm"
            with path.open("w", encoding="utf-8") as file:
                model.write(file)
            # Cepstral means per utterance: a result must not depend on what came before.
            return self._sphinx.Decoder(lm=str(path), loglevel="FATAL", cmn="batch")
