"""One operator of an `.onnx` file, as used by its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Shape = tuple[int, ...]


class WindowError(ValueError):
    """An operator that is inconsistent with its inputs; one line without the operator."""


@dataclass(frozen=True)
class OnnxNode:
    """The operator's kind, the names of its values, and its attributes."""

    kind: str
    inputs: Sequence[str]
    """Empty string for an omitted one."""
    outputs: Sequence[str]
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Integer attributes, with one or several values."""
    padding: str = ""
    """`auto_pad`, empty if the pads are given."""

    def number(self, name: str, default: int) -> int:
        """Return a single-valued attribute."""
        if name not in self.numbers:
            return default
        return next(iter(self.numbers[name]), 0)


@dataclass
class KnownValues:
    """What is known about a graph's values before it runs, by name."""

    shapes: dict[str, Shape] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    """Short integer constants: sizes, axes, positions."""

    def shape(self, node: OnnxNode, place: int) -> Shape | None:
        """Return an input's shape, None if it is unknown or omitted."""
        return self.shapes.get(node.inputs[place]) if place < len(node.inputs) else None

    def listed(self, node: OnnxNode, place: int, attribute: str) -> list[int] | None:
        """Return numbers that are an input, or an attribute in earlier operator sets."""
        if attribute in node.numbers:
            return list(node.numbers[attribute])
        return self.numbers.get(node.inputs[place]) if place < len(node.inputs) else None
