"""What a recipe value may be: its range or choices, and the metric that it limits."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import Field, field
from typing import Any, Literal

Value = str | bool | int | float


class RecipeError(ValueError):
    """A recipe that cannot be used; one line with the key, the value and what is allowed."""


def number(
    default: float,
    low: float,
    high: float,
    unit: str = "",
    *,
    limits: str = "",
    sense: Literal["max", "min"] = "max",
) -> Any:
    """Declare a number within ``low`` to ``high`` (both allowed), in ``unit``.

    ``limits`` names the metric of the stage that may not be above (``max``) or below (``min``)
    the value; such a field does not change what the stage does.
    """
    metadata = {"range": (low, high), "unit": unit, "limits": limits, "sense": sense}
    return field(default=default, metadata=metadata)


def choice(default: str, *allowed: str) -> Any:
    """Declare a word out of ``allowed``."""
    return field(default=default, metadata={"choices": allowed})


def check_value(key: str, spec: Field[Any], value: object) -> Value:
    """Return ``value`` as the type of ``spec``; raise `RecipeError` when it is not allowed."""
    kind = type(spec.default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or not isinstance(value, (str, bool, int, float)):
        raise RecipeError(f"{key} = {_toml(value)}: {_type_words(kind)} is needed here")
    if "range" in spec.metadata:
        _check_range(key, spec, value)
    choices = spec.metadata.get("choices", (value,))
    if value not in choices:
        words = ", ".join(f'"{word}"' for word in choices)
        raise RecipeError(f"{key} = {_toml(value)}: allowed are {words}")
    return value


def _check_range(key: str, spec: Field[Any], value: Value) -> None:
    low, high = spec.metadata["range"]
    unit = f" {spec.metadata['unit']}" if spec.metadata["unit"] else ""
    if low == high != float(value):
        raise RecipeError(f"{key} = {_toml(value)}: allowed is only {low:g}{unit}")
    if not low <= float(value) <= high:
        raise RecipeError(
            f"{key} = {_toml(value)}: outside the allowed range {low:g} to {high:g}{unit}"
        )


def unknown(kind: str, name: str, allowed: Iterable[str], value: object = None) -> RecipeError:
    """Return the error for a name that is not there, with the nearest one that is."""
    names = list(allowed)
    near = difflib.get_close_matches(name.rpartition(".")[2], names, n=1, cutoff=0.5)
    guess = f"did you mean {near[0]}? " if near else ""
    given = f" = {_toml(value)}" if value is not None else ""
    return RecipeError(f"{name}{given}: unknown {kind}; {guess}allowed: {', '.join(names)}")


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _type_words(kind: type) -> str:
    return {
        str: "text in quotes",
        bool: "true or false",
        int: "a whole number",
        float: "a number",
    }[kind]
