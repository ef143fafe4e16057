"""Copies match whatever was done to them; others do not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edge_vc.audio.fingerprint import find_matches, fingerprint
from edge_vc.audio.io import resample
from edge_vc.augmentation.voice_perturbation import analyse, perturb_voice

RATE = 16000
RNG = np.random.default_rng(0)


def add_noise(samples: np.ndarray, snr_db: float) -> np.ndarray:
    level = np.sqrt(np.square(samples).mean()) * 10 ** (-snr_db / 20)
    return samples + RNG.normal(0, level, samples.shape).astype(np.float32)


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "same": lambda samples: samples,
    "softer": lambda samples: samples * 0.1,
    "later": lambda samples: np.pad(samples, (3333, 0)),
    "narrow band": lambda samples: resample(resample(samples, RATE, 8000), 8000, RATE),
    "8 bit": lambda samples: np.round(samples * 128) / 128,
    "noisy": lambda samples: add_noise(samples, 15.0),
    "trimmed": lambda samples: samples[5000:],
}


@pytest.mark.parametrize("copy", COPIES)
def test_copies_match(arctic: np.ndarray, copy: str) -> None:
    loud = arctic / np.abs(arctic).max()
    other = fingerprint(COPIES[copy](loud).astype(np.float32), RATE)
    (match,) = find_matches([fingerprint(loud, RATE), other])
    assert (match.index, match.original) == (1, 0)
    assert match.agreement > 0.75


def test_another_voice_saying_the_same_does_not_match(arctic: np.ndarray) -> None:
    other = perturb_voice(analyse(arctic.astype(np.float64), RATE), semitones=3.0, warp=1.1)
    prints = [fingerprint(arctic, RATE), fingerprint(other.astype(np.float32), RATE)]
    assert find_matches(prints) == []


def test_noises_and_silences_do_not_match() -> None:
    prints = [fingerprint(RNG.normal(0, 0.1, 3 * RATE).astype(np.float32), RATE) for _ in range(6)]
    silent = fingerprint(np.zeros(RATE, np.float32), RATE)
    assert find_matches([*prints, *[silent] * 70]) == []
    assert find_matches([]) == []


def test_chains_end_at_the_first(arctic: np.ndarray) -> None:
    prints = [fingerprint(arctic * gain, RATE) for gain in (1.0, 0.5, 0.25)]
    assert [(m.index, m.original) for m in find_matches(prints)] == [(1, 0), (2, 0)]


def test_scraps_have_no_fingerprint() -> None:
    assert fingerprint(np.ones(3000, np.float32), RATE).size == 0
    assert fingerprint(np.ones(RATE, np.float32), RATE).dtype == np.uint32
