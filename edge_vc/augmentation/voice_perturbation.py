"""Speaker perturbation with WORLD: the same sentence as if other people had said it.

A converter into one voice needs pairs (anybody's sentence, the same sentence by the target).
They are made backwards: the target's recording is analysed with WORLD (Morise et al. 2016),
moved to another pitch and vocal-tract length, and resynthesised. The perturbed signal is the
input, the untouched recording the target (compare NANSY, Choi et al. 2021).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyworld
from numpy.typing import NDArray

from edge_vc.audio.pitch import track_pitch

Array = NDArray[np.float64]

FRAME_MS = 5.0
"""WORLD's frame period."""
LOWEST_HZ, HIGHEST_HZ = 65.0, 500.0
"""Where F0 is looked for."""


@dataclass(frozen=True)
class Analysis:
    """WORLD's view of one recording; rows are frames of `FRAME_MS`."""

    f0: Array
    """Fundamental frequency in Hz, 0 where unvoiced, ``[F]``."""
    envelope: Array
    """Spectral envelope (power), ``[F, bins]``."""
    aperiodicity: Array
    """Share of noise per bin, ``[F, bins]``."""
    sample_rate: int


@dataclass(frozen=True)
class PerturbSettings:
    """How far a perturbed voice may be from the recorded one."""

    f0_hz: tuple[float, float] = (75.0, 290.0)
    """Range of the new median F0, drawn log-uniformly."""
    f0_range: tuple[float, float] = (0.6, 1.5)
    """Scale of the log-F0 excursions around the median."""
    warp: tuple[float, float] = (0.75, 1.3)
    """Limits of the frequency warp of the envelope."""
    warp_slope: float = 0.18
    """How the warp follows pitch: ``exp(slope * ln(new / old median))``."""
    warp_spread: float = 0.09
    """Standard deviation of the log warp around that."""
    equaliser_db: float = 6.0
    """Standard deviation of a smooth random equaliser."""
    breath_db: float = 3.0
    """Standard deviation of a change of the aperiodic share."""


def analyse(audio: Array, sample_rate: int) -> Analysis:
    """Analyse mono ``audio`` ``[T]`` with WORLD; frame ``n`` is centred on ``n * FRAME_MS``.

    F0 comes from `track_pitch`: WORLD's own search follows mains hum where there is some.
    """
    signal = np.ascontiguousarray(audio, np.float64)
    hop = round(FRAME_MS / 1000 * sample_rate)
    pitch = track_pitch(signal.astype(np.float32), sample_rate, hop, LOWEST_HZ, HIGHEST_HZ)
    f0 = pitch.f0.astype(np.float64)
    times = np.arange(f0.shape[0]) * hop / sample_rate
    envelope = pyworld.cheaptrick(signal, f0, times, sample_rate)
    aperiodicity = pyworld.d4c(signal, f0, times, sample_rate)
    return Analysis(f0, envelope, aperiodicity, sample_rate)


def perturb(
    analysis: Analysis, rng: np.random.Generator, settings: PerturbSettings
) -> tuple[Array, Array]:
    """Return the recording in another voice ``[T]`` and its F0 contour ``[F]`` in Hz."""
    voiced = analysis.f0 > 0
    median = float(np.median(analysis.f0[voiced])) if voiced.any() else 150.0
    low, high = np.log(settings.f0_hz)
    new_median = float(np.exp(rng.uniform(low, high)))
    f0 = np.zeros_like(analysis.f0)
    excursion = np.log(analysis.f0[voiced] / median) * rng.uniform(*settings.f0_range)
    f0[voiced] = np.clip(new_median * np.exp(excursion), 50.0, 500.0)
    log_warp = settings.warp_slope * np.log(new_median / median)
    warp = float(np.clip(np.exp(rng.normal(log_warp, settings.warp_spread)), *settings.warp))
    bins = analysis.envelope.shape[1]
    gain_db = _smooth_curve(rng, bins) * settings.equaliser_db
    envelope = _warped(analysis.envelope, warp) * 10 ** (gain_db / 10)
    breath = 10 ** (rng.normal(0.0, settings.breath_db) / 20)
    aperiodicity = np.clip(_warped(analysis.aperiodicity, warp) * breath, 1e-5, 1.0)
    audio = pyworld.synthesize(
        f0,
        np.ascontiguousarray(envelope),
        np.ascontiguousarray(aperiodicity),
        analysis.sample_rate,
        FRAME_MS,
    )
    return audio, f0


def perturb_voice(analysis: Analysis, semitones: float = 0.0, warp: float = 1.0) -> Array:
    """Return the recording ``[T]`` with F0 moved and formants stretched by given amounts."""
    audio: Array = pyworld.synthesize(
        np.clip(analysis.f0 * 2 ** (semitones / 12), 0.0, HIGHEST_HZ * 2),
        np.ascontiguousarray(_warped(analysis.envelope, warp)),
        np.ascontiguousarray(np.clip(_warped(analysis.aperiodicity, warp), 1e-5, 1.0)),
        analysis.sample_rate,
        FRAME_MS,
    )
    return audio


def _warped(rows: Array, warp: float) -> Array:
    """Stretch the frequency axis: a formant at ``f`` moves to ``f * warp``."""
    position = np.minimum(np.arange(rows.shape[1]) / warp, rows.shape[1] - 1)
    below = np.minimum(position.astype(int), rows.shape[1] - 2)
    part = position - below
    mixed: Array = rows[:, below] * (1 - part) + rows[:, below + 1] * part
    return mixed


def _smooth_curve(rng: np.random.Generator, bins: int) -> Array:
    """A random curve with a knot every octave or so, unit deviation, ``[bins]``."""
    knots = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0])
    curve: Array = np.interp(np.linspace(0, 1, bins), knots, rng.standard_normal(len(knots)))
    return curve
