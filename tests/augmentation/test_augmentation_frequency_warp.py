from __future__ import annotations

import librosa
import numpy as np

from edge_vc.augmentation.frequency_warp import warp_matrix

CENTRES = librosa.mel_frequencies(82, fmin=0, fmax=8000)[1:-1]


def test_warp_moves_bands_and_one_keeps_them() -> None:
    np.testing.assert_allclose(warp_matrix(1.0, CENTRES), np.eye(80), atol=1e-5)
    peak = np.zeros(80)
    peak[40] = 1.0
    assert int((warp_matrix(1.2, CENTRES) @ peak).argmax()) > 40
    assert int((warp_matrix(0.8, CENTRES) @ peak).argmax()) < 40
