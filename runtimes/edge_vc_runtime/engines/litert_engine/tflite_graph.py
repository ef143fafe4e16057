"""The graph of a `.tflite` file: tensors, operators and the names of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_vc_runtime.engines.litert_engine.tflite_operators import DENSE, OperatorKind

FLOAT32 = 0
"""Number of the type float32 in TFLite's schema."""
ABSENT = -1
"""Index of an omitted input."""
_WHOLE = (3, 9)  # uint8 and int8


class TfliteError(ValueError):
    """A file that is not a model that this runtime can load safely; one line."""


@dataclass(frozen=True)
class Tensor:
    """One tensor of the graph."""

    name: str
    type: int
    """Number of the type in TFLite's schema."""
    shape: tuple[int, ...]
    data: memoryview | None = field(default=None, repr=False)
    """The bytes of a constant."""
    scales: tuple[float, ...] = ()
    """If quantised: one, or one per channel."""
    zero_points: tuple[int, ...] = ()
    """One, or one per scale."""
    scale_axis: int = 0
    """Channel axis if there are several scales."""

    @property
    def constant(self) -> bool:
        """Whether its values are stored in the file."""
        return self.data is not None


@dataclass(frozen=True)
class Operator:
    """One operator of the graph, with the indices of its tensors."""

    kind: OperatorKind
    inputs: tuple[int, ...]
    """`ABSENT` stands for an omitted one."""
    outputs: tuple[int, ...]
    options: Mapping[str, int] = field(default_factory=dict)
    """The options known to `tflite_options`, by its names."""
    sizes: tuple[int, ...] = ()
    """The list in the options of RESHAPE and SQUEEZE."""


@dataclass(frozen=True)
class TfliteGraph:
    """The file's only subgraph and its only signature."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: Mapping[str, int]
    """Tensor indices by name in the signature."""
    outputs: Mapping[str, int]

    def dynamic_layer(self) -> str | None:
        """Return the output of the first dense layer with integer weights and float input.

        Such a layer quantises its input at run time. Return None if there is none.
        """
        for operator in self.operators:
            if operator.kind.name != DENSE or len(operator.inputs) < 2:
                continue
            audio, weights = (self.tensors[index] for index in operator.inputs[:2])
            if audio.type == FLOAT32 and weights.type in _WHOLE:
                return self.tensors[operator.outputs[0]].name
        return None
