"""Spectrograms show tones where they are, and are written as PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_vc.evaluate.report.spectrogram import log_frequency_spectrogram, plot_spectrograms

RATE = 16000


@pytest.mark.parametrize("frequency", [200.0, 1000.0, 5000.0])
def test_a_tone_is_where_it_sounds(frequency: float) -> None:
    tone = np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE).astype(np.float32)
    level, frequencies = log_frequency_spectrogram(tone, RATE)
    assert level.shape == (frequencies.size, 201)
    loudest = frequencies[level[:, 20:-20].argmax(axis=0)]
    assert np.allclose(loudest, frequency, rtol=0.06)


def test_panels_are_stacked(tmp_path: Path) -> None:
    tone = np.sin(np.arange(RATE // 2) * 0.1).astype(np.float32)
    one = plot_spectrograms({"one": tone}, RATE, tmp_path / "one.png")
    three = plot_spectrograms({str(n): tone for n in range(3)}, RATE, tmp_path / "three.png", "T")
    heights = [int.from_bytes(path.read_bytes()[20:24], "big") for path in (one, three)]
    assert heights[1] > 2 * heights[0]


@pytest.mark.parametrize("text", ["it costs $\\frac{1$", "$5 or $x_", "a\x1b[2J\nb", "\udcf6"])
def test_names_and_texts_are_no_formulas(tmp_path: Path, text: str) -> None:
    tone = np.sin(np.arange(RATE // 2) * 0.1).astype(np.float32)
    assert plot_spectrograms({text: tone}, RATE, tmp_path / "a.png", text).stat().st_size > 1000


def test_silence_can_be_drawn_and_nothing_cannot(tmp_path: Path) -> None:
    path = plot_spectrograms({"silence": np.zeros(4000, np.float32)}, RATE, tmp_path / "s.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="at least one"):
        plot_spectrograms({}, RATE, tmp_path / "n.png")
