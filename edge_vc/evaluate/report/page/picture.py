"""Spectrograms as small images, with F0 as a line over and below them."""

from __future__ import annotations

import io

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray
from PIL import Image

from edge_vc.audio.io import Samples
from edge_vc.audio.pitch import Pitch
from edge_vc.evaluate.report.page.markup import Markup, join, tag
from edge_vc.evaluate.report.page.sound import data_uri
from edge_vc.evaluate.report.spectrogram import LOWEST_HZ, RANGE_DB, log_frequency_spectrogram

BINS = 112
WIDTH = 560
"""Width of the image in pixels; it is stretched to the card."""
F0_LOW, F0_HIGH = 60.0, 500.0
"""Hz at the bottom and the top of the F0 strip."""
_STRIP = 44


def spectrogram_uri(samples: Samples, sample_rate: int) -> str:
    """Return the spectrogram of ``[T]`` over logarithmic frequency as a WebP data URI.

    The image shows the 70 dB below its own loudest bin, the highest frequency on top.
    """
    level, _ = log_frequency_spectrogram(samples, sample_rate, BINS)
    columns = np.linspace(0, level.shape[1] - 1, WIDTH).round().astype(int)
    shade = np.clip((level[::-1, columns] - level.max()) / RANGE_DB + 1.0, 0.0, 1.0)
    colours = (colormaps["magma"](shade)[..., :3] * 255).round().astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(colours).save(buffer, "WEBP", quality=60, method=4)
    return data_uri("image/webp", buffer.getvalue())


def spectrogram(samples: Samples, sample_rate: int, pitch: Pitch, name: str) -> Markup:
    """Return the image with F0 drawn over it, in one box."""
    image = tag("img", src=spectrogram_uri(samples, sample_rate), alt=f"spectrogram of {name}")
    frames = samples.size / pitch.hop
    octaves = np.log2(sample_rate / 2 / LOWEST_HZ)
    heights = 100.0 * (1.0 - np.log2(np.maximum(pitch.f0, LOWEST_HZ) / LOWEST_HZ) / octaves)
    line = _lines(pitch, heights, frames, "f0")
    drawing = tag(
        "svg", line, viewBox="0 0 1000 100", preserveAspectRatio="none", aria_hidden="true"
    )
    return tag("div", image, drawing, tag("i", class_="head"), class_="spectrogram")


def f0_contour(source: Pitch | None, pitch: Pitch, samples: int, name: str) -> Markup:
    """Return F0 as a separate strip, with the source's F0 behind it in grey."""
    frames = samples / pitch.hop
    lines = [_lines(pitch, _strip(pitch), frames, "f0")]
    if source is not None:
        lines.insert(0, _lines(source, _strip(source), frames, "f0 other"))
    return tag(
        "svg",
        *lines,
        viewBox=f"0 0 1000 {_STRIP}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"F0 contour of {name}",
        class_="contour",
    )


def _strip(pitch: Pitch) -> NDArray[np.float64]:
    share = np.log(np.clip(pitch.f0, F0_LOW, F0_HIGH) / F0_LOW) / np.log(F0_HIGH / F0_LOW)
    return np.asarray(_STRIP * (1.0 - share), dtype=np.float64)


def _lines(pitch: Pitch, heights: NDArray[np.floating], frames: float, kind: str) -> Markup:
    """Return one line for each voiced stretch, drawn from every other frame."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], pitch.voiced.astype(int), [0]])))
    lines = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        places = [*range(int(start), int(end) - 1, 2), int(end) - 1]
        points = " ".join(f"{1000 * n / frames:.1f},{heights[n]:.1f}" for n in places)
        lines.append(tag("polyline", points=points, class_=kind))
    return join(*lines)
