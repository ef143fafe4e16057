"""Strict parser of a manifest's conditioning inputs."""

from __future__ import annotations

from edge_vc_runtime.bundle.input_spec import (
    KINDS,
    LABEL,
    LARGEST,
    MOST_ENTRIES,
    MOST_INPUTS,
    NAME,
    InputSpec,
    ModelInputError,
)
from edge_vc_runtime.schema.fields import FieldError, Fields

_TEXT = r"[^\x00-\x1f\x7f]*"


def read_input(fields: Fields) -> InputSpec:
    """Read one entry of a manifest's ``inputs``; raises `FieldError`."""
    name = fields.text("name", NAME, 32)
    numbers = Fields({str(i): v for i, v in enumerate(fields.items("default", MOST_ENTRIES))}, name)
    shape = Fields({str(i): v for i, v in enumerate(fields.items("shape", 1))}, f"{name}.shape")
    labels = Fields({str(i): v for i, v in enumerate(fields.items("labels", MOST_ENTRIES))}, name)
    try:
        spec = InputSpec(
            name=name,
            shape=tuple(shape.integer(key, 1, MOST_ENTRIES) for key in shape.names()),
            low=fields.number("low", -LARGEST, LARGEST),
            high=fields.number("high", -LARGEST, LARGEST),
            default=tuple(numbers.number(k, -LARGEST, LARGEST) for k in numbers.names()),
            meaning=fields.text("meaning", _TEXT, 200),
            unit=fields.text("unit", _TEXT, 20),
            kind=fields.choice("kind", KINDS),
            labels=tuple(labels.text(key, LABEL, 32) for key in labels.names()),
        )
    except ModelInputError as error:
        raise FieldError(f"inputs: {error}") from error
    fields.done()
    return spec


def read_inputs(fields: Fields) -> tuple[InputSpec, ...]:
    """Read ``inputs``; empty if the key is missing. Raises `FieldError`."""
    if "inputs" not in fields.names():
        return ()
    specs = tuple(read_input(each) for each in fields.children("inputs", MOST_INPUTS))
    names = [spec.name for spec in specs]
    if not names or len(set(names)) != len(names):
        raise FieldError("inputs is empty or has a name twice")
    return specs
