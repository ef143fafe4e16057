"""Converted speech measured on the host, with the metrics of ``edge-vc evaluate``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_vc.audio.distance import log_spectral_distance, snr_db
from edge_vc.audio.level import active_level_db
from edge_vc.evaluate.metrics.prosody import contour, f0_correlation, median_f0
from edge_vc_runtime.samples import Samples
from edge_vc_runtime.validation.speech_figures import (
    LARGEST_DISTANCE_DB,
    LARGEST_LEVEL_DB,
    SpeechFigures,
)

_FULL = 0.999


def measure_speech(source: Samples, made: Samples, sample_rate: int) -> SpeechFigures:
    """Measure the output ``[T]`` for a source ``[T]``, time-aligned with each other."""
    pitch = contour(made, sample_rate)
    return SpeechFigures(
        seconds=made.size / sample_rate,
        level_db=active_level_db(made, sample_rate),
        clipped_percent=float(100 * (np.abs(made) >= _FULL).mean()),
        f0_hz=median_f0(pitch),
        f0_correlation=f0_correlation(contour(source, sample_rate), pitch),
    )


def compare_speech(
    host: Samples, board: Samples, sample_rate: int, figures: tuple[SpeechFigures, SpeechFigures]
) -> SpeechFigures:
    """Return the board's figures, with the distance of its output from the host's."""
    here, there = figures
    distance = log_spectral_distance(host, board, sample_rate) if host.any() else None
    same = abs(there.level_db - here.level_db) <= LARGEST_LEVEL_DB
    return replace(
        there,
        snr_db=snr_db(host, board) if host.any() else None,
        spectral_distance_db=distance,
        same_sound=same and (distance is None or distance <= LARGEST_DISTANCE_DB),
    )
