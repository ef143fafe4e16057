"""Typical delays of sound cards' converters, which drivers do not report."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class ConverterFigure:
    """Delay of a card's converter in one direction, a range in ms."""

    low_ms: float
    high_ms: float
    kind: str
    """The kind of card for which it is typical."""


# Reported round trips of digital-to-analogue plus analogue-to-digital conversion, halved.
_FIGURES = (
    (r"hifiberry|snd_rpi_hifi", ConverterFigure(0.5, 0.5, "HiFiBerry cards")),
    (r"usb", ConverterFigure(4.0, 5.5, "cheap USB cards")),
)


def typical_converter(device: str) -> ConverterFigure | None:
    """Return the typical figure for a device by its name; None if there is none."""
    for pattern, figure in _FIGURES:
        if re.search(pattern, device, re.I):
            return figure
    return None
