"""A set of features is named, of one length, and the same through the package's face."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.np.ufunc.gufunc import GUFunc

import edge_vc.audio
from edge_vc.audio.feature_set import FEATURES, FeatureSettings, extract, feature_names
from edge_vc.audio.features import energy_db, log_mel, mfcc, spectral_peaks, stft, with_deltas
from edge_vc.audio.io import AudioError
from edge_vc.audio.pitch import track_pitch

SIZES = FeatureSettings(window=400, hop=200, bands=24, coefficients=7, peaks=3)


def voice(length: int = 8000) -> np.ndarray:
    time = np.arange(length) / 16000
    tone = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 20))
    return (0.1 * tone).astype(np.float32)


def test_every_feature_has_its_arrays_and_sizes() -> None:
    found = extract(voice(), list(FEATURES), SIZES)
    shapes = {name: array.shape for name, array in found.items() if array.ndim}
    assert shapes == {
        "stft": (201, 41),
        "log_mel": (24, 41),
        "mfcc": (21, 41),
        "energy_db": (41,),
        "peak_hz": (3, 41),
        "peak_db": (3, 41),
        "f0_hz": (41,),
    }
    assert (found["sample_rate"], found["window"], found["hop"]) == (16000, 400, 200)
    assert {a.dtype for n, a in found.items() if a.ndim and n != "stft"} == {np.dtype(np.float32)}


def test_no_feature_runs_a_cached_gufunc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that start together on an empty numba cache die in one (see `spectral_peaks`)."""

    def refuse(self: GUFunc, *args: object) -> None:
        raise AssertionError(f"{self} is called")

    monkeypatch.setattr(GUFunc, "__call__", refuse)
    extract(voice(), list(FEATURES), SIZES)


PIPTRACK = """
import sys
import librosa
import numpy as np
amplitude = np.load(sys.argv[1])
found = librosa.piptrack(S=amplitude, sr=16000, fmin=50, fmax=8000, ref=1e-5)
np.save(sys.argv[2], np.stack(found))
"""


def test_peaks_are_those_of_piptrack(tmp_path: Path) -> None:
    noisy = voice() + np.random.default_rng(0).normal(0, 0.05, 8000).astype(np.float32)
    np.save(tmp_path / "amplitude.npy", np.abs(stft(noisy, 512, 160)) / 128)
    # With a cache of its own: processes that compile its gufuncs together spoil a shared one.
    subprocess.run(
        [sys.executable, "-c", PIPTRACK, tmp_path / "amplitude.npy", tmp_path / "found.npy"],
        check=True, env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
    )  # fmt: skip
    hertz, size = np.load(tmp_path / "found.npy")
    strongest = np.argsort(-size, axis=0, kind="stable")[:5]
    found = spectral_peaks(noisy, 16000)
    np.testing.assert_allclose(found[0], np.take_along_axis(hertz, strongest, 0), rtol=1e-5)
    height = 20 * np.log10(np.take_along_axis(size, strongest, 0))
    np.testing.assert_allclose(found[1], height, atol=1e-3)


def test_arrays_are_what_the_functions_return() -> None:
    found, x = extract(voice(), list(FEATURES), SIZES), voice()
    expected = {
        "stft": stft(x, 400, 200),
        "log_mel": log_mel(x, 16000, 400, 200, 24),
        "mfcc": with_deltas(mfcc(x, 16000, 400, 200, 7)),
        "energy_db": energy_db(x, 400, 200),
        "peak_hz": spectral_peaks(x, 16000, 400, 200, 3)[0],
        "peak_db": spectral_peaks(x, 16000, 400, 200, 3)[1],
        "f0_hz": track_pitch(x, 16000, 200).f0,
    }
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)
    assert np.median(found["f0_hz"]) == pytest.approx(140, rel=0.01)


def test_descriptions_name_every_array() -> None:
    for name, feature in FEATURES.items():
        arrays = [key for key, array in extract(voice(), [name]).items() if array.ndim]
        assert all(f"{key} [" in feature.arrays for key in arrays), name


def test_names_are_separated_by_commas() -> None:
    assert feature_names("stft, log-mel,f0,") == ("stft", "log-mel", "f0")
    with pytest.raises(AudioError, match="feature 'mel' is not one of stft, log-mel, mfcc"):
        feature_names("f0,mel")
    with pytest.raises(AudioError, match="feature 'mel'"):
        extract(voice(), ["mel"])


def test_the_face_loads_what_is_asked_for() -> None:
    for name in edge_vc.audio.__all__:
        assert getattr(edge_vc.audio, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'loudness'"):
        _ = edge_vc.audio.loudness
    code = "import sys, edge_vc.audio; print({'librosa', 'torch', 'pyworld'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
