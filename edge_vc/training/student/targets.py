"""The targets that a student has to predict to match its teacher's output, frame by frame."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import interp1d

from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.frontend import mel_points
from edge_vc.models.student.student import Student
from edge_vc.nn.harmonic import WIDTH

Frames = NDArray[np.float32]


def targets_for(
    student: Student, example: LabelledAudio
) -> tuple[Frames, Frames, NDArray[np.float16] | None]:
    """Return the F0, voicing and filters that ``student`` should predict, without its look-ahead.

    F0 is in Hz, held where unvoiced; voicing is 1 or 0, and between them at the edges; both are
    ``[F]``. The filters are ``[bands, 2, F]``, None for a teacher without any. ``example`` is at
    the student's hop. The labels' frames are centred elsewhere than those of the student's head
    (`filter_lag`), so voicing and filters are interpolated between two of them.
    """
    config = student.config
    voiced, lag = example.f0 > 0, filter_lag(config)
    held = _hold(example.f0, config.target_f0_hz).astype(np.float32)
    share = between(voiced.astype(np.float32), lag)
    filters = _bands(example.bands, held, student)
    if filters is None:
        return held, share, None
    both = np.stack([between(filters[0], lag, voiced), between(filters[1], lag)], axis=1)
    return held, share, both.astype(np.float16)


def filter_lag(config: StudentConfig) -> float:
    """Return by how many frames a label's filter precedes the head's filter of the same index.

    With the head's delay removed, its window of frame ``t`` is centred on
    ``(t + 1) * hop - window / 2``, the label's frame on ``(t + 1 / 2) * hop``.
    """
    return config.synthesis_window / (2 * config.hop) - 0.5


def between(values: Frames, lag: float, counts: NDArray[np.bool_] | None = None) -> Frames:
    """Read frames ``[..., F]`` ``lag`` frames earlier, interpolated linearly between two.

    Where only one of the two is set in ``counts`` ``[F]``, it is taken alone; where neither is,
    they are interpolated as without ``counts``.
    """
    places = np.clip(np.arange(values.shape[-1]) - lag, 0, values.shape[-1] - 1)
    before = np.floor(places).astype(int)
    after = np.minimum(before + 1, values.shape[-1] - 1)
    share = (places - before).astype(np.float32)
    if counts is not None:
        alone = counts[before] != counts[after]
        share = np.where(alone, counts[after], share).astype(np.float32)
    read: Frames = (values[..., before] * (1 - share) + values[..., after] * share).astype(
        np.float32
    )
    return read


def held_back(frames: NDArray[Any], wait: int) -> NDArray[Any]:
    """Delay the last axis by ``wait`` frames, repeating the first one."""
    first = np.repeat(frames[..., :1], wait, axis=-1)
    return np.concatenate([first, frames], -1)[..., : frames.shape[-1]]


def _hold(f0: NDArray[np.float32], start: float) -> NDArray[np.float32]:
    """Fill unvoiced frames with the last voiced value."""
    last = np.maximum.accumulate(np.where(f0 > 0, np.arange(len(f0)), -1))
    held: NDArray[np.float32] = np.where(last >= 0, f0[np.maximum(last, 0)], start)
    return held


def _bands(
    bands: NDArray[np.float16], f0: NDArray[np.float32], student: Student
) -> NDArray[np.float32] | None:
    """Interpolate the teacher's magnitude bands at the student's, ``[2, bands, F]``."""
    if not len(bands):
        return None
    harmonic, _, noise = np.split(bands.astype(np.float32), 3)
    half = student.config.sample_rate / 2
    theirs = librosa.mel_frequencies(len(harmonic) + 2, fmin=0, fmax=half)[1:-1]
    mine = mel_points(student.config.bands, 0.0, half).numpy()
    both = interp1d(theirs, np.stack([harmonic, noise]), axis=1)
    moved = both(np.clip(mine, theirs[0], theirs[-1]))
    moved[0] += pulse_gain(mine[:, None], f0, student.config.sample_rate)
    moved[1] += noise_gain(student.config.synthesis_window)
    found: Frames = moved.astype(np.float32)
    return found


def pulse_gain(
    hz: NDArray[np.float64], f0: NDArray[np.float32], sample_rate: int
) -> NDArray[np.float64]:
    """Return ln of the ratio of a harmonic in the teacher's pulses to one in the student's.

    The teacher's pulses have unit power, spread evenly over the harmonics below half the sample
    rate; the student's have unit height and a Gaussian spectrum.
    """
    even = np.sqrt(2 * f0 / (sample_rate / 2))
    gaussian = 2 * f0 / sample_rate * WIDTH * np.sqrt(2 * np.pi)
    roll_off = 2 * (np.pi * WIDTH * hz / sample_rate) ** 2
    gain: NDArray[np.float64] = np.log(even / gaussian) + roll_off
    return gain


def noise_gain(window: int) -> float:
    """Return ln of unit-power noise over the student's, whose parts are drawn within -0.5..0.5.

    White noise of unit power under a sine window of ``window`` samples has parts of variance
    ``window / 4``; independently drawn frames add up to half the power of overlapping ones.
    """
    return 0.5 * float(np.log(window / 4 * 2 * 12))
