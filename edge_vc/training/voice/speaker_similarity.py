"""Speaker similarity of a trained voice to its target, measured at the end of training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc.audio.speaker_encoder import NoSpeechError, SpeakerEncoder, similarity
from edge_vc.data.pair_set import SAMPLE_RATE, PairSet
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.settings.optional import EvaluationError
from edge_vc.training.voice.validation import PERTURBED, VoiceValidation

REFERENCES = 10
"""Recordings whose mean embedding represents the target."""


def speaker_similarity(
    network: VoiceNetwork, validation: VoiceValidation, pairs: Sequence[PairSet]
) -> dict[str, float]:
    """Return speaker similarities to the target's recordings; empty if none can be measured.

    That is the case without speech, for instance.

    ``similarity`` is that of held-out recordings converted from a perturbed voice,
    ``similarity_recordings`` that of these recordings themselves (topline). Needs the extra
    ``evaluate``.
    """
    held = validation.recordings
    known = [pair for pair in pairs if not pair.held_out][:REFERENCES]
    if not held or not known:
        return {}
    try:
        encoder = SpeakerEncoder()
    except EvaluationError:
        return {}
    try:
        centroid = encoder.centroid((_samples(pair) for pair in known), SAMPLE_RATE)
    except NoSpeechError:
        return {}

    def mean(recordings: Sequence[Samples]) -> float:
        found = [similarity(encoder.embed(each, SAMPLE_RATE), centroid) for each in recordings]
        return float(np.mean(found))

    spoken = [validation.speak(network, each, PERTURBED)[0].numpy() for each in held]
    return {
        "similarity": mean(spoken),
        "similarity_recordings": mean([_samples(each.pair) for each in held]),
    }


def _samples(pair: PairSet) -> Samples:
    return pair.target.astype(np.float32) / np.float32(32767)
