"""One operator of an `.onnx` file, as its checks see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Shape = tuple[int, ...]


class WindowError(ValueError):
    """An operator that contradicts its inputs; one line without the operator."""


@dataclass(frozen=True)
class OnnxNode:
    """Its kind, the names of its values, and its attributes."""

    kind: str
    inputs: Sequence[str]
    """Empty for one that is left out."""
    outputs: Sequence[str]
    numbers: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Attributes with whole numbers, one or several."""
    padding: str = ""
    """`auto_pad`, empty where the pads are given."""

    def number(self, name: str, default: int) -> int:
        """Return an attribute of one number."""
        if name not in self.numbers:
            return default
        return next(iter(self.numbers[name]), 0)


@dataclass
class KnownValues:
    """What is known of a graph's values before it runs, by name."""

    shapes: dict[str, Shape] = field(default_factory=dict)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    """Short constants of whole numbers: sizes, axes, places."""

    def shape(self, node: OnnxNode, place: int) -> Shape | None:
        """Return an input's shape, None where it is unknown or left out."""
        return self.shapes.get(node.inputs[place]) if place < len(node.inputs) else None

    def listed(self, node: OnnxNode, place: int, attribute: str) -> list[int] | None:
        """Return numbers that are an input since some operator set, an attribute before."""
        if attribute in node.numbers:
            return list(node.numbers[attribute])
        return self.numbers.get(node.inputs[place]) if place < len(node.inputs) else None
