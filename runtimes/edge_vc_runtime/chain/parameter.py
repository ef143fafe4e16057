"""One chain setting, declared as data from which options, keys and control socket are derived."""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge_vc_runtime.chain.error import ChainError

_WORDS = {"on": 1.0, "true": 1.0, "yes": 1.0, "off": 0.0, "false": 0.0, "no": 0.0}


@dataclass(frozen=True)
class Parameter:
    """A number within limits that may change while the chain runs."""

    name: str
    """Letters and underscores; the option is ``--name`` with hyphens."""
    unit: str
    """``dB``, ``semitones``, ``%``; ``on/off`` for a switch, whose values are 1 and 0."""
    low: float
    high: float
    default: float
    """Default for files, and for live conversion unless `live_default` is given."""
    step: float
    """Change per key press."""
    help: str
    """What it does, for the help text."""
    live_default: float | None = None
    """The default for live conversion, if different."""
    group: str = ""
    """The conditioning input of which it is an entry: ``model_voice``."""

    @property
    def switch(self) -> bool:
        """Whether it is an on/off switch."""
        return self.unit == "on/off"

    @property
    def option(self) -> str:
        """The option on the command line."""
        return f"--{self.name.replace('_', '-')}"

    def check(self, value: object) -> float:
        """Return an external value as a number; raises `ChainError`, which states the range.

        Accepts numbers, and for switches true, false and the words on and off.
        """
        number = self._number(value)
        if number is None or not math.isfinite(number):
            raise ChainError(f"{self.name}: expected {self._expected()}, got {_shown(value)}")
        if not self.low <= number <= self.high or (self.switch and number not in (0.0, 1.0)):
            raise ChainError(f"{self.name} is {number:g}; expected {self._expected()}")
        return number

    def _number(self, value: object) -> float | None:
        if isinstance(value, bool):
            return float(value) if self.switch else None
        if isinstance(value, str):
            if self.switch and value.strip().lower() in _WORDS:
                return _WORDS[value.strip().lower()]
            return _parsed(value)
        try:
            return float(value) if isinstance(value, (int, float)) else None
        except OverflowError:
            return None

    def _expected(self) -> str:
        if self.switch:
            return "on or off"
        return f"a number from {self.low:g} to {self.high:g} {self.unit}".rstrip()


def _parsed(text: str) -> float | None:
    try:
        return float(text[:64])
    except ValueError:
        return None


def _shown(value: object) -> str:
    text = ascii(value) if isinstance(value, (str, int, float, bool)) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:37]}..."
