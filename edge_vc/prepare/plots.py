"""One figure of a prepared corpus: durations, levels, SNR, F0, minutes and spectra."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc.prepare.measures import BAND_EDGES_HZ, F0_EDGES_HZ
from edge_vc.prepare.preparation import Prepared
from edge_vc.prepare.record import Piece
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.profiling.figure_png import figure_png

BEFORE, AFTER = "#b0b7c3", "#2864c8"

_MOST_VIOLINS = 24
_MOST_SPECTRA = 150


def plot_corpus(prepared: Prepared, path: Path) -> Path:
    """Write a PNG with six panels; needs at least one kept piece."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 9), layout="constrained")
    panels = figure.subplots(2, 3)
    pieces = [piece for _, piece in prepared.kept]
    speakers: dict[str, list[Piece]] = defaultdict(list)
    for task, piece in prepared.kept:
        speakers[task.utterance.speaker or "unknown"].append(piece)
    _durations(panels[0, 0], pieces)
    _levels(panels[0, 1], pieces)
    _snr(panels[0, 2], pieces)
    _f0(panels[1, 0], speakers)
    _minutes(panels[1, 1], prepared)
    _spectra(panels[1, 2], speakers)
    minutes = sum(piece.seconds for piece in pieces) / 60
    count = f"{len(pieces)} pieces, {minutes:.1f} min, {len(speakers)} speakers"
    figure.suptitle(f"{_plain(prepared.root.name)}: {count}", fontsize=15)
    for panel in panels.flat:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.25)
        panel.set_axisbelow(True)
    return write_whole(path, figure_png(figure, dpi=110))


def _durations(panel: Any, pieces: Sequence[Piece]) -> None:
    seconds = [piece.seconds for piece in pieces]
    panel.hist(seconds, bins=40, color=AFTER)
    panel.axvline(np.median(seconds), color="black", lw=1, ls="--", label="median")
    panel.set(title="Length of the pieces", xlabel="seconds", ylabel="pieces")
    panel.legend(frameon=False)


def _levels(panel: Any, pieces: Sequence[Piece]) -> None:
    before = [piece.level_before_db for piece in pieces]
    after = [piece.level_after_db for piece in pieces]
    bins = np.arange(np.floor(min(*before, *after)) - 0.5, np.ceil(max(*before, *after)) + 1)
    panel.hist(before, bins=bins, color=BEFORE, label="before")
    panel.hist(after, bins=bins, color=AFTER, alpha=0.7, label="after")
    panel.set(title="Level of active speech", xlabel="dBFS", ylabel="pieces")
    panel.locator_params(axis="x", nbins=7, integer=True)
    panel.legend(frameon=False)


def _snr(panel: Any, pieces: Sequence[Piece]) -> None:
    bins = np.arange(0, 82, 2)
    for values, colour, label in (
        ([piece.snr_before_db for piece in pieces], BEFORE, "before"),
        ([piece.snr_after_db for piece in pieces], AFTER, "after"),
    ):
        known = [value for value in values if np.isfinite(value)]
        panel.hist(known, bins=bins, color=colour, alpha=0.7, label=label)
    panel.set(title="Estimated signal-to-noise ratio", xlabel="dB", ylabel="pieces")
    panel.legend(frameon=False)


def _f0(panel: Any, speakers: dict[str, list[Piece]]) -> None:
    """Draw a violin per speaker, low voices first; with more than two dozen, one heat map."""
    centres = np.sqrt(F0_EDGES_HZ[1:] * F0_EDGES_HZ[:-1])
    counts = {name: _sum(pieces) for name, pieces in speakers.items()}
    voiced = {name: count for name, count in counts.items() if count.sum()}
    order = sorted(voiced, key=lambda name: float(_weighted_median(centres, voiced[name])))
    shares = np.array([voiced[name] / voiced[name].max() for name in order])
    panel.set(title="F0 by speaker, low to high", ylabel="Hz", yscale="log")
    panel.set_ylim(F0_EDGES_HZ[0], F0_EDGES_HZ[-1])
    ticks = [60, 80, 100, 150, 200, 300, 400]
    panel.set_yticks(ticks, [str(tick) for tick in ticks])
    panel.set_yticks([], minor=True)
    if not order:
        panel.text(0.5, 0.5, "nothing voiced", transform=panel.transAxes, ha="center")
    elif len(order) <= _MOST_VIOLINS:
        for place, share in enumerate(shares):
            panel.fill_betweenx(
                centres, place - 0.45 * share, place + 0.45 * share, color=AFTER, lw=0
            )
        _name_ticks(panel, order)
    else:
        edges = np.arange(len(order) + 1)
        panel.pcolormesh(edges, F0_EDGES_HZ, shares.T, cmap="Blues", rasterized=True)
        panel.set_xlabel(f"{len(order)} speakers")


def _minutes(panel: Any, prepared: Prepared) -> None:
    totals: dict[str, float] = defaultdict(float)
    for task, piece in prepared.kept:
        totals[task.utterance.speaker] += piece.seconds / 60
    order = sorted(totals, key=lambda name: -totals[name])
    sides = prepared.plan.sides
    colours = [AFTER if sides[name] == "train" else "#e08214" for name in order]
    panel.bar(range(len(order)), [totals[name] for name in order], width=0.9, color=colours)
    for label, colour in (("train", AFTER), ("validation", "#e08214")):
        if any(sides[name] == label for name in order):
            panel.bar([0], [0], color=colour, label=label)
    if totals and max(totals.values()) > 50 * min(totals.values()):
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:g}")
    panel.set(title="Minutes per speaker", ylabel="minutes")
    if len(order) <= _MOST_VIOLINS:
        _name_ticks(panel, order)
    else:
        panel.set_xlabel(f"{len(order)} speakers")
    panel.legend(frameon=False)


def _name_ticks(panel: Any, speakers: Sequence[str]) -> None:
    names = [_plain(name if len(name) <= 14 else f"{name[:13]}…") for name in speakers]
    slanted = {"rotation": 60, "ha": "right"} if len(names) > 4 else {}
    panel.set_xticks(range(len(names)), names, **slanted)


def _spectra(panel: Any, speakers: dict[str, list[Piece]]) -> None:
    centres = np.sqrt(BAND_EDGES_HZ[1:] * BAND_EDGES_HZ[:-1])
    means = [_mean_spectrum(pieces) for pieces in speakers.values()]
    alpha = 0.5 if len(means) <= 10 else 0.12
    for mean in means[:_MOST_SPECTRA]:
        panel.plot(centres, mean, color=BEFORE, lw=0.8, alpha=min(1.0, alpha * 2))
    every = _mean_spectrum([piece for pieces in speakers.values() for piece in pieces])
    panel.plot(centres, every, color=AFTER, lw=2.5, label="all")
    panel.plot([], [], color=BEFORE, label="each speaker")
    panel.set(title="Long-term spectrum", xlabel="Hz", ylabel="dB per Hz", xscale="log")
    ticks = [100, 200, 500, 1000, 2000, 4000, 8000]
    panel.set_xticks(ticks, [f"{t // 1000}k" if t >= 1000 else str(t) for t in ticks])
    panel.set_xticks([], minor=True)
    panel.legend(frameon=False)


def _mean_spectrum(pieces: Sequence[Piece]) -> NDArray[np.float64]:
    weights = np.array([piece.seconds for piece in pieces])
    power = 10 ** (np.array([piece.spectrum_db for piece in pieces]) / 10)
    mean: NDArray[np.float64] = 10 * np.log10(np.average(power, axis=0, weights=weights))
    return mean


def _sum(pieces: Sequence[Piece]) -> NDArray[np.int64]:
    total: NDArray[np.int64] = np.sum([piece.f0_counts for piece in pieces], axis=0)
    return total


def _weighted_median(values: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    return float(values[int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))])


def _plain(name: str) -> str:
    """Escape dollar signs, which would start a formula, so that a name is shown verbatim."""
    return name.replace("$", r"\$")
