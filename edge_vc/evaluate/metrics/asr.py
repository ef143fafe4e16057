"""Intelligibility by automatic speech recognition (ASR), offline.

The recogniser is PocketSphinx with its US English acoustic model and a language model of the
evaluation sentences themselves. With a general language model it misrecognises more than half of
the words in clean recordings and cannot distinguish systems; with this one, a few per cent, so
additional errors are caused by damage to the speech. The rates compare systems, not recognisers.
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
from edge_vc.data.transcript import edit_distance, words_of
from edge_vc.evaluate.metrics.recording import Recording, ScoringContext
from edge_vc.settings.optional import EvaluationError, require

RATE = 16000
"""Sample rate of the acoustic model, in Hz."""


@dataclass(frozen=True)
class AsrScore:
    """One sentence, its transcript, and the counts for error rates."""

    text: str
    transcript: str
    word_errors: int
    words: int
    """Words of the sentence that are in the pronouncing dictionary."""
    character_errors: int
    characters: int


def unknown_words(sentences: Iterable[str]) -> tuple[str, ...]:
    """Return the words that the pronouncing dictionary lacks, sorted."""
    used = frozenset(word for sentence in sentences for word in words_of(sentence))
    return tuple(sorted(used - _pronunciations(used).keys()))


class Recognizer:
    """PocketSphinx with a language model of given sentences."""

    def __init__(self, sentences: Iterable[str], order: int = 3) -> None:
        """Build an n-gram model of the distinct ``sentences``, with ``order`` 1 to 3.

        Words missing from the pronouncing dictionary are excluded from the model and from the
        counts; `unknown` lists them.
        """
        if order not in (1, 2, 3):
            raise EvaluationError(f"a language model of order {order}; the order is 1, 2 or 3")
        self._sphinx = require("pocketsphinx")
        require("pocketsphinx.lm")
        lists = [words_of(sentence) for sentence in sorted(set(sentences))]
        used = frozenset(word for words in lists for word in words)
        spellings = _pronunciations(used)
        self.unknown = used - spellings.keys()
        texts = [" ".join(word for word in words if word in spellings) for words in lists]
        if not any(texts):
            raise EvaluationError("a recogniser needs sentences with known words; got none")
        lines = [line for word in sorted(spellings) for line in spellings[word]]
        self._decoder = self._build("\n".join(filter(None, texts)), lines, order)

    def transcribe(self, samples: Samples, sample_rate: int) -> str:
        """Return the transcript of ``[T]`` in lower case; independent of earlier calls."""
        audio = samples if sample_rate == RATE else resample(samples, sample_rate, RATE)
        pcm = np.round(np.clip(audio, -1.0, 1.0) * 32767).astype("<i2").tobytes()
        # The front end would keep its noise estimate from one utterance to the next.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        best = self._decoder.hyp()
        # Pronunciation variants are written "word(2)".
        return re.sub(r"\(\d+\)", "", best.hypstr) if best is not None else ""

    def score(self, samples: Samples, sample_rate: int, text: str) -> AsrScore:
        """Transcribe ``[T]`` and compare the transcript with ``text``."""
        said, heard = words_of(text), self.transcribe(samples, sample_rate)
        free = self.unknown.intersection(said)
        known = [word for word in said if word not in free]
        said_characters, heard_characters = " ".join(said), heard
        return AsrScore(
            text=" ".join(said),
            transcript=heard,
            word_errors=edit_distance(said, heard.split(), free),
            words=len(known),
            character_errors=edit_distance(said_characters, heard_characters),
            characters=len(said_characters),
        )

    def _build(self, text: str, dictionary: list[str], order: int) -> Any:
        model = self._sphinx.lm.ArpaBoLM(text=text, add_start=True)
        if order < 3:
            model.grams_3.clear()
        if order < 2:
            model.grams_2.clear()
        model.compute()
        with tempfile.TemporaryDirectory() as folder:
            path, words = Path(folder) / "sentences.lm", Path(folder) / "words.dict"
            with path.open("w", encoding="utf-8") as file:
                model.write(file)
            # Loading the whole dictionary for a few words would take seconds.
            words.write_text("\n".join(dictionary) + "\n", encoding="utf-8")
            # Cepstral means per utterance: a result must not depend on earlier calls.
            return self._sphinx.Decoder(
                lm=str(path), dict=str(words), loglevel="FATAL", cmn="batch"
            )


def recognizer(context: ScoringContext) -> Recognizer | None:
    """Return the recogniser shared by a process's recordings; None if no text is known."""
    sentences = context.chosen.sentences
    return Recognizer(sentences) if sentences else None


def asr_score(recording: Recording) -> AsrScore | None:
    """Transcribe a recording; None if its text is not known."""
    found = recording.context.get(recognizer)
    text = recording.utterance.text
    if found is None or not text:
        return None
    return found.score(recording.samples, recording.sample_rate, text)


def _pronunciations(words: frozenset[str]) -> dict[str, list[str]]:
    """Return the dictionary's lines for each known word of ``words``, including variants."""
    models = require("pocketsphinx").get_model_path()
    path = Path(models) / "en-us" / "cmudict-en-us.dict"
    spellings: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word = line.split(" ", 1)[0].split("(", 1)[0]
        if word in words:
            spellings.setdefault(word, []).append(line)
    return spellings
