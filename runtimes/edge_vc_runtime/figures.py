"""Titles and units of the figures of runs and bundles, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Title, unit and format of one figure."""

    title: str
    unit: str = ""
    """Printed after the number; ``yes/no`` for a figure that is 1 or 0."""
    form: str = ".4g"


_PER_FILE = {
    "nodes_": Figure("nodes in {}", form=",.0f"),
    "int8_speedup_": Figure("INT8 speed over fp32 as {}", "x", ".2f"),
}
"""Figures that exist once per file or format, by the prefix of their key."""
_TFLITE = "_tflite"
FIGURES = {
    "train_recordings": Figure("training recordings", form=",.0f"),
    "train_minutes": Figure("training audio", "min", ".1f"),
    "holdout_seconds": Figure("holdout audio", "s", ".1f"),
    "left_out": Figure("recordings left out", form=",.0f"),
    "parameters": Figure("parameters", form=",.0f"),
    "int8_weight_kb": Figure("INT8 weights", "kB", ".1f"),
    "mmacs": Figure("multiply-accumulates", "million/s", ".1f"),
    "latency_ms": Figure("algorithmic latency", "ms"),
    "sparsity": Figure("share of zero weights", form=".3f"),
    "mel_db": Figure("mel distance to the teacher", "dB"),
    "trunk_snr_db": Figure("trunk SNR of INT8 against fp32", "dB"),
    "snr_first_db": Figure("trunk SNR at the beginning", "dB"),
    "snr_last_db": Figure("trunk SNR at the end", "dB"),
    "lsd_db": Figure("log-spectral distance of INT8 from fp32", "dB"),
    "drift_db": Figure("drift of INT8", "dB"),
    "fine_tuning_kept": Figure("fine-tuned weights kept", "yes/no"),
    "fp32_offline": Figure("largest difference from PyTorch, offline"),
    "fp32_streaming": Figure("largest difference from PyTorch, streaming"),
    "formats_snr_db": Figure("trunk SNR of TFLite against ONNX", "dB"),
    "fp32_difference": Figure("largest difference of fp32 from PyTorch"),
    "int8_trunk_snr_db": Figure("trunk SNR of INT8 against fp32", "dB"),
    "int8_spectral_distance_db": Figure("log-spectral distance of INT8 from fp32", "dB"),
    "int8_formats_snr_db": Figure("trunk SNR of INT8 as TFLite against ONNX", "dB"),
    "bundle_kb": Figure("bundle size", "kB", ".1f"),
    "int8_is_default": Figure("INT8 is the default", "yes/no"),
}
"""Every figure by its key in ``run.json`` and in the manifest."""


def figure_of(key: str) -> Figure:
    """Return how to show a figure; an unknown key is shown as words without a unit."""
    for prefix, figure in _PER_FILE.items():
        if key.startswith(prefix):
            return Figure(figure.title.format(key[len(prefix) :]), figure.unit, figure.form)
    if key.endswith(_TFLITE):
        figure = figure_of(key.removesuffix(_TFLITE))
        return Figure(f"{figure.title}, as TFLite", figure.unit, figure.form)
    return FIGURES.get(key, Figure(key.replace("_", " ")))


def with_unit(key: str, value: float) -> str:
    """Return e.g. ``32.58 dB``, or ``yes`` or ``no`` for a yes/no figure."""
    figure = figure_of(key)
    if figure.unit == "yes/no":
        return "yes" if value else "no"
    return f"{value:{figure.form}} {figure.unit}".rstrip()


def titled_figures(figures: Mapping[str, float]) -> list[str]:
    """Return ``title: value unit`` for each, with the value before the stage in brackets."""
    lines = []
    for key, value in figures.items():
        if key.endswith("_before") and key.removesuffix("_before") in figures:
            continue
        before = figures.get(f"{key}_before")
        was = "" if before is None else f" (before: {with_unit(key, before)})"
        lines.append(f"{figure_of(key).title}: {with_unit(key, value)}{was}")
    return lines
