"""Speech for parity checks: one human recording, repeated at varied pitch and level."""

from __future__ import annotations

import warnings

import numpy as np

from edge_vc.audio.io import Samples, read_audio, resample

_VARIATIONS = ((1.0, 0.5), (0.85, 0.25), (1.0, 0.1), (1.2, 0.7), (0.95, 0.35), (1.1, 0.15))
"""Speed (and with it pitch) and peak level of each repetition."""
_PAUSE_SECONDS = 0.3


def example_speech(seconds: float, sample_rate: int) -> Samples:
    """Return ``[T]`` of a CMU ARCTIC sentence, repeated at varied pitch and level.

    The last third is a copy of the first, so that comparing the two shows only drift.
    """
    length = round(seconds * sample_rate)
    sentence = _sentence(sample_rate)
    pause = np.zeros(round(_PAUSE_SECONDS * sample_rate), np.float32)
    pieces: list[Samples] = []
    while sum(piece.shape[0] for piece in pieces) < length:
        speed, peak = _VARIATIONS[len(pieces) // 2 % len(_VARIATIONS)]
        varied = resample(sentence, round(sample_rate * speed), sample_rate)
        pieces += [varied * np.float32(peak / np.abs(varied).max()), pause]
    speech = np.concatenate(pieces)[:length]
    third = length // 3
    speech[length - third :] = speech[:third]
    return speech


def _sentence(sample_rate: int) -> Samples:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pysptk uses pkg_resources to find its own files
        from pysptk.util import example_audio_file
    return read_audio(example_audio_file(), sample_rate)
