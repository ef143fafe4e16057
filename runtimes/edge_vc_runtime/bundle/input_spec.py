"""Conditioning inputs: named graph inputs that stay constant until the user changes them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

KINDS = ("value", "blend", "stream")
"""``value``: numbers; ``blend``: shares of labelled entries that add up to 1; ``stream``: a vector
that the caller updates every hop."""
MOST_INPUTS = 16
MOST_ENTRIES = 256
LARGEST = 1e6
NAME = r"[a-z][a-z0-9_]{0,31}"
LABEL = r"[a-z0-9][a-z0-9_.-]{0,31}"


class ModelInputError(ValueError):
    """An unknown conditioning input, or a value that it does not accept; one line."""


@dataclass(frozen=True)
class InputSpec:
    """One conditioning input: graph input ``input.<name>``, float32 ``[1, size, 1, 1]``."""

    name: str
    shape: tuple[int, ...]
    """``(size,)``."""
    low: float
    high: float
    """Every entry is within ``low..high``."""
    default: tuple[float, ...]
    meaning: str
    unit: str = ""
    kind: str = "value"
    """One of `KINDS`."""
    labels: tuple[str, ...] = ()
    """Names of the entries, such as voices; empty if they have none."""

    def __post_init__(self) -> None:
        """Raise `ModelInputError` for a declaration that contradicts itself."""
        for pattern, text in ((NAME, self.name), *((LABEL, label) for label in self.labels)):
            if not re.fullmatch(pattern, text):
                raise ModelInputError(
                    f"input name or label {text!a:.42}: small letters, digits and _"
                )
        if len(self.shape) != 1 or not 1 <= self.shape[0] <= MOST_ENTRIES:
            raise ModelInputError(
                f"{self.name}: shape {list(self.shape)}: one size, 1..{MOST_ENTRIES}"
            )
        if not self.low < self.high:
            raise ModelInputError(f"{self.name}: low {self.low:g} is not below high {self.high:g}")
        if self.labels and len(set(self.labels)) != self.size:
            raise ModelInputError(f"{self.name}: {self.size} entries need as many different labels")
        if self.kind not in KINDS or (self.kind == "blend" and not self.labels):
            raise ModelInputError(
                f"{self.name}: kind {self.kind!r}: {', '.join(KINDS)}, blends labelled"
            )
        self.check(self.default)

    @property
    def size(self) -> int:
        """Number of entries."""
        return self.shape[0]

    @property
    def tensor_shape(self) -> tuple[int, ...]:
        """Shape of the graph's input."""
        return (1, self.size, 1, 1)

    def check(self, value: object) -> tuple[float, ...]:
        """Return an external value as ``size`` numbers; those of a blend add up to 1.

        Accepts a number, a list, a mapping of labels to numbers, a label (that entry only), and
        the same as text: ``2``, ``0.1,0.4``, ``kathleen``, ``kathleen:0.7,flemish:0.3``.
        Raises `ModelInputError`, which states the range or the labels.
        """
        numbers = self._numbers(_parsed(value) if isinstance(value, str) else value)
        for index, number in enumerate(numbers):
            if not self.low <= number <= self.high:
                place = f"{self.name}.{self.labels[index]}" if self.labels else self.name
                raise ModelInputError(f"{place} is {number:g}; expected {self._range}")
        if self.kind != "blend":
            return numbers
        total = sum(numbers)
        if total <= 0:
            raise ModelInputError(f"{self.name}: all shares are 0; give one of {self._known}")
        return tuple(number / total for number in numbers)

    @property
    def _range(self) -> str:
        return f"{self.low:g} to {self.high:g} {self.unit}".rstrip()

    @property
    def _known(self) -> str:
        return ", ".join(self.labels)

    def _numbers(self, value: object) -> tuple[float, ...]:
        if isinstance(value, str):
            return self._labelled({value: self.high if self.kind != "blend" else 1.0})
        if isinstance(value, Mapping):
            return self._labelled(value)
        entries = list(value) if isinstance(value, Sequence) else [value]
        if len(entries) != self.size:
            names = f" ({self._known})" if self.labels else ""
            raise ModelInputError(
                f"{self.name}: {len(entries)} numbers; expected {self.size}{names}"
            )
        return tuple(self._number(entry) for entry in entries)

    def _labelled(self, value: Mapping[object, object]) -> tuple[float, ...]:
        start = self.default if self.kind == "value" else (0.0,) * self.size
        entries = dict(zip(self.labels, start, strict=False))
        for label, number in value.items():
            if label not in entries:
                raise ModelInputError(self._unknown(str(label)))
            entries[str(label)] = self._number(number)
        return tuple(entries.values())

    def _unknown(self, label: str) -> str:
        if not self.labels:
            return (
                f"{self.name}: expected {self.size} numbers from {self._range}, got {label!a:.42}"
            )
        near = get_close_matches(label[:32], self.labels, n=1)
        guess = f"did you mean {near[0]}?" if near else f"one of {self._known}"
        return f"{self.name}: no {label!a:.42}; {guess}"

    def _number(self, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ModelInputError(
                f"{self.name}: expected numbers from {self._range}, got {value!a:.42}"
            )
        number = float(value) if abs(value) <= LARGEST else math.inf
        if not math.isfinite(number):
            raise ModelInputError(
                f"{self.name}: expected numbers from {self._range}, got {value!a:.42}"
            )
        return number


def find_input(specs: Sequence[InputSpec], name: str) -> InputSpec:
    """Return the input with this name; raises `ModelInputError`, which lists the inputs."""
    for spec in specs:
        if spec.name == name:
            return spec
    have = ", ".join(spec.name for spec in specs)
    raise ModelInputError(
        f"no input {name!a:.42}; " + (f"this bundle has {have}" if have else "this bundle has none")
    )


def _parsed(text: str) -> object:
    """Return text from the command line as a value for `InputSpec.check`."""
    parts = [part.strip() for part in text[:4000].split(",")]
    if all(":" in part for part in parts):
        pairs = [part.rpartition(":")[::2] for part in parts]
        return {label.strip(): _value(number) for label, number in pairs}
    values = [_value(part) for part in parts]
    return values[0] if len(values) == 1 else values


def _value(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text.strip()
