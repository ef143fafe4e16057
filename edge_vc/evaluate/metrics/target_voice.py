"""The target's voice as one embedding, for machines without the target's recordings.

The shipped one was made by `edge-vc target-voice CORPUS`.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from edge_vc.assets import ASSETS
from edge_vc.audio.speaker_encoder import Embedding, SpeakerEncoder
from edge_vc.data.corpus import Corpus
from edge_vc.settings.optional import EvaluationError
from edge_vc_runtime.files.writing import write_whole

SHIPPED = ASSETS / "kathleen-centroid.json"
RATE = 16_000
EVERY = 10
"""Every tenth sentence is embedded: a hundred are enough for a mean."""


def load_centroid(path: str | Path = SHIPPED) -> Embedding:
    """Return the stored unit mean of the target's Resemblyzer embeddings, ``[256]``."""
    stored = json.loads(Path(path).read_text(encoding="utf-8"))
    return np.array(stored["embedding"], dtype=np.float32)


def make_centroid(corpus: Corpus, path: str | Path) -> Embedding:
    """Embed every tenth ``target`` sentence of a corpus and store the mean with its origin.

    Raises `EvaluationError` if the corpus has none, and `NoSpeechError`.
    """
    chosen = corpus.select("target").utterances[::EVERY]
    if not chosen:
        raise EvaluationError(
            f"{corpus.root}: no recording has the role target; put the target's into a folder "
            "called target, or write the role into metadata.csv"
        )
    centroid = SpeakerEncoder().centroid((utt.read(RATE) for utt in chosen), RATE)
    facts = {
        "encoder": "resemblyzer 0.1.4",
        "speaker": chosen[0].speaker,
        "licence": chosen[0].licence,
        "sentences": len(chosen),
        "corpus_sha256": Corpus(corpus.root, chosen).content_hash(),
        "embedding": [round(float(value), 6) for value in centroid],
    }
    write_whole(path, json.dumps(facts, indent=1) + "\n")
    return centroid
