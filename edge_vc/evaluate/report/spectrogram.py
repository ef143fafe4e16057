"""Spectrograms of several versions of a sentence, stacked, with their pitch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.audio.pitch import track_pitch
from edge_vc.data.corpus import Corpus
from edge_vc.evaluate.selection import select_sentences
from edge_vc.evaluate.systems.systems import RATE, ConversionSystem, converted
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.message import one_line
from edge_vc_runtime.profiling.figure_png import figure_png

LOWEST_HZ = 60.0
RANGE_DB = 70.0
_HOP_MS = 5.0
_WINDOW_MS = 32.0


def plot_spectrograms(
    recordings: Mapping[str, Samples], sample_rate: int, path: str | Path, title: str = ""
) -> Path:
    """Draw each ``[T]`` over logarithmic frequency in dB, F0 on top, and write a PNG.

    Every panel shows the 70 dB below its own loudest bin, independent of level.
    """
    if not recordings:
        raise ValueError("no recordings to draw; give at least one")
    figure = Figure(figsize=(11, 2.6 * len(recordings) + 0.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(recordings), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (name, samples) in zip(axes, recordings.items(), strict=True):
        _draw(axis, samples, sample_rate)
        axis.set_title(one_line(name)[:100], loc="left", fontsize=9, parse_math=False)
    axes[-1].set_xlabel("seconds")
    # Names and texts are user data: do not parse dollar signs as formulas.
    figure.suptitle(one_line(title)[:200], fontsize=10, parse_math=False)
    return write_whole(path, figure_png(figure))


def plot_first_sentence(
    systems: Iterable[ConversionSystem], corpus: str | Path, path: str | Path
) -> Path:
    """Draw the first evaluation sentence: the recording, then each system's conversion."""
    utterance = select_sentences(Corpus.open(corpus), 1).sources[0]
    samples = utterance.read(RATE)
    versions = {
        system.name: converted(system.name, system.open(), utterance, samples) for system in systems
    }
    title = f"{utterance.speaker}: {utterance.text or utterance.utt_id}"
    return plot_spectrograms({"recording": samples, **versions}, RATE, path, title)


def log_frequency_spectrogram(
    samples: Samples, sample_rate: int, bins: int = 192
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return power in dB ``[bins, frames]`` and its frequencies ``[bins]`` in Hz, log-spaced."""
    window = round(_WINDOW_MS * sample_rate / 1000)
    hop = round(_HOP_MS * sample_rate / 1000)
    padded = np.pad(samples.astype(np.float64), (window // 2, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    frames = frames[: samples.shape[0] // hop + 1]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(window), 2 * window)))
    frequencies = np.geomspace(LOWEST_HZ, sample_rate / 2, bins)
    linear = np.fft.rfftfreq(2 * window, 1 / sample_rate)
    warped = np.stack([np.interp(frequencies, linear, frame) for frame in power], axis=1)
    return 10 * np.log10(np.maximum(warped, 1e-12)), frequencies


def _draw(axis: Axes, samples: Samples, sample_rate: int) -> None:
    level, frequencies = log_frequency_spectrogram(samples, sample_rate)
    hop = round(_HOP_MS * sample_rate / 1000)
    seconds = np.arange(level.shape[1]) * hop / sample_rate
    loudest = float(level.max())
    axis.pcolormesh(
        seconds,
        frequencies,
        level,
        vmin=loudest - RANGE_DB,
        vmax=loudest,
        cmap="magma",
        shading="nearest",
        rasterized=True,
    )
    pitch = track_pitch(samples, sample_rate, hop)
    voiced = np.where(pitch.voiced, pitch.f0, np.nan)[: seconds.size]
    axis.plot(seconds, voiced, color="cyan", linewidth=1.0)
    axis.set_yscale("log")
    axis.set_ylim(LOWEST_HZ, sample_rate / 2)
    axis.set_yticks([100, 200, 500, 1000, 2000, 4000, 8000])
    axis.set_yticklabels(["100", "200", "500", "1k", "2k", "4k", "8k"])
    axis.minorticks_off()
    axis.set_ylabel("Hz")
