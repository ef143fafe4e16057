"""The development set: sentences held out of training, to make decisions on.

The choice follows from names alone: the same corpus gives the same sentences everywhere. It is
taken from the training corpus; evaluation recordings are for reporting, never for choosing.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import soundfile

from edge_vc.audio.denoise import denoise
from edge_vc.data.corpus import Corpus, write_metadata
from edge_vc.data.corpus_table import CorpusError
from edge_vc.data.utterance import Utterance
from edge_vc_runtime.files.writing import write_whole

SOURCES = 16
"""Sentences to convert."""
MORE_SOURCES = 8
"""Sentences of role ``target-alt`` besides, where there are any: never trained on."""
REFERENCES = 20
"""Sentences of the target that stand for the voice."""


@dataclass(frozen=True)
class Development:
    """A corpus in two parts that share no source speaker and no sentence of the target."""

    train: Corpus
    """Everything that may be trained on."""
    held_out: Corpus
    """Roles ``unseen-source`` and ``target-reference``, as `edge_vc.evaluate` takes them."""

    @classmethod
    def of(
        cls, corpus: Corpus, sources: int = SOURCES, references: int = REFERENCES
    ) -> Development:
        """Divide ``corpus``; raises `CorpusError` where too little would be left to train on.

        Sources with text are held out first, whole speakers at a time, since word errors need text.
        """
        own = corpus.select("target")
        others = [utterance for utterance in corpus if utterance.role == "source"]
        held_own = _first(own, references)
        speakers = _speakers(others, sources)
        held_others = _first((u for u in others if u.speaker in speakers), sources)
        if len(own) <= references or len(speakers) == len({u.speaker for u in others}):
            raise CorpusError(
                f"{corpus.root}: {len(own)} sentences of the target and {len(others)} of sources; "
                f"holding out {references} and {sources} leaves nothing to train on"
            )
        names = {u.path for u in held_own}
        held_others += _first(corpus.select("target-alt"), MORE_SOURCES)
        unused = speakers | set(corpus.select("target-alt").speakers)
        train = tuple(u for u in corpus if u.path not in names and u.speaker not in unused)
        held = [replace(u, role="unseen-source") for u in held_others]
        held += [replace(u, role="target-reference") for u in held_own]
        return cls(Corpus(corpus.root, train), Corpus(corpus.root, tuple(held)))

    def write(self, folder: Path, denoise_db: float = 0.0) -> Path:
        """Copy the held-out part into ``folder`` as a corpus of its own, ready to evaluate on.

        Noise is taken off the sources by up to ``denoise_db``: what a converter does to weak
        consonants shows in recordings where they are not beneath the noise anyway.
        """
        written = []
        for utterance in self.held_out:
            path = folder / utterance.speaker / f"{utterance.utt_id}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            with utterance.path.open("rb") as file:
                audio, rate = soundfile.read(file, dtype="float32")
            if denoise_db and utterance.role == "unseen-source":
                audio = denoise(audio, rate, floor_db=-denoise_db)
            content = io.BytesIO()
            soundfile.write(content, audio, rate, format="FLAC")
            write_whole(path, content.getvalue())
            written.append(replace(utterance, path=path))
        return write_metadata(folder, written)


def _first(utterances: Iterable[Utterance], count: int) -> list[Utterance]:
    """Return ``count`` utterances in the order of their names' hashes: spread, but fixed."""
    return sorted(utterances, key=lambda u: (_shuffled(u.utt_id), u.utt_id))[:count]


def _speakers(sources: list[Utterance], count: int) -> set[str]:
    """Return the speakers that hold ``count`` sentences together, those with text first."""
    chosen: set[str] = set()
    spoken = {u.speaker for u in sources if u.text}
    ordered = sorted({u.speaker for u in sources}, key=lambda s: (s not in spoken, _shuffled(s), s))
    for speaker in ordered:
        if sum(u.speaker in chosen for u in sources) >= count:
            break
        chosen.add(speaker)
    return chosen


def _shuffled(name: str) -> str:
    return hashlib.sha256(f"development:{name}".encode()).hexdigest()
