"""Speaker similarity: cosine between Resemblyzer embeddings."""

from __future__ import annotations

from edge_vc.audio.speaker_encoder import SpeakerEncoder, similarity
from edge_vc.evaluate.metrics.metric import Metric
from edge_vc.evaluate.metrics.recording import Recording, ScoringContext


def speaker_encoder(context: ScoringContext) -> SpeakerEncoder:
    """Return the encoder shared by a process's recordings."""
    return SpeakerEncoder()


def compute(recording: Recording) -> float:
    """Return the cosine between a recording and the target's centroid."""
    encoder = recording.context.get(speaker_encoder)
    embedding = encoder.embed(recording.samples, recording.sample_rate)
    return similarity(embedding, recording.context.target.centroid)


SIMILARITY = Metric(
    key="similarity",
    title="similarity",
    unit="cosine",
    compute=compute,
    rank=1,
    description="Cosine of Resemblyzer speaker embeddings to the centroid of sentences of the "
    "target; 1 is the same voice (Wan et al. 2018).",
)
