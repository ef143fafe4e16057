"""Argument types: numbers within bounds, with one-line errors."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable


def number_within(low: float, high: float, unit: str = "") -> Callable[[str], float]:
    """Return an argument type: a finite number from ``low`` to ``high``."""

    def check(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            span = f"{low:g} to {high:g} {unit}".strip()
            raise argparse.ArgumentTypeError(f"{text!r:.40}; it has to be {span}")
        return value

    check.__name__ = "number"  # argparse names the type in its own errors
    return check


def whole_within(low: int, high: int, unit: str = "") -> Callable[[str], int]:
    """Return an argument type: a whole number from ``low`` to ``high``."""
    check_number = number_within(low, high, unit)

    def check(text: str) -> int:
        value = check_number(text)
        if value != int(value):
            raise argparse.ArgumentTypeError(f"{text!r:.40}; it has to be a whole number")
        return int(value)

    check.__name__ = "whole number"
    return check
