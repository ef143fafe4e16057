"""Settings dataclasses as sections of a recipe: ranges, choices, limits, and parsing of tables."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import Field, field, fields, is_dataclass, replace
from typing import Any, Literal, TypeVar

Value = str | bool | int | float
Settings = TypeVar("Settings")


class RecipeError(ValueError):
    """An invalid recipe; a one-line message with the key, the value and what is allowed."""


def number(
    default: float,
    low: float,
    high: float,
    unit: str = "",
    *,
    limits: str = "",
    sense: Literal["max", "min"] = "max",
) -> Any:
    """Declare a number within ``low`` to ``high`` (inclusive), in ``unit``.

    ``limits`` names the metric of the stage that must not be above (``max``) or below (``min``)
    the value; such a field does not change what the stage does.
    """
    metadata = {"range": (low, high), "unit": unit, "limits": limits, "sense": sense}
    return field(default=default, metadata=metadata)


def choice(default: str, *allowed: str) -> Any:
    """Declare a string that is one of ``allowed``."""
    return field(default=default, metadata={"choices": allowed})


def section_from_table(
    kind: type[Settings],
    table: Mapping[str, object],
    name: str = "",
    *,
    base: Settings | None = None,
    key_noun: str = "key",
) -> Settings:
    """Return the settings ``kind``, a dataclass, with the values of ``table``, a section of TOML.

    Every field has a default; fields missing from ``table`` keep the value of ``base``, or their
    default. A field that is a dataclass itself takes a table. Error messages use ``name`` for the
    section and ``key_noun`` for a key. Raises `RecipeError` for an unknown key, for a value of
    another type or outside its range, and for values that the dataclass itself rejects.
    """
    start = kind() if base is None else base
    specs = {spec.name: spec for spec in fields(start)}  # type: ignore[arg-type]
    prefix = f"{name}." if name else ""
    changes: dict[str, object] = {}
    for key, value in table.items():
        if key not in specs:
            raise unknown(key_noun, prefix + key, specs, value)
        old = getattr(start, key)
        if is_dataclass(old) and not isinstance(old, type) and isinstance(value, Mapping):
            changes[key] = section_from_table(type(old), value, prefix + key, base=old)
        else:
            changes[key] = check_value(prefix + key, specs[key], value, type(old))
    try:
        return replace(start, **changes)  # type: ignore[type-var]
    except RecipeError as error:
        raise RecipeError(f"{prefix}{error}") from error
    except ValueError as error:
        raise RecipeError(f"{name or 'recipe'}: {error}") from error


def check_value(key: str, spec: Field[Any], value: object, kind: type | None = None) -> Any:
    """Return ``value`` as ``kind`` (by default the type of the field's default).

    An integer is accepted for a float, a list of numbers for a tuple. Raises `RecipeError` if the
    value has another type, is outside the field's range or is not one of its choices.
    """
    kind = kind or type(spec.default)
    if kind is float and type(value) is int and abs(value) <= sys.float_info.max:
        value = float(value)
    if kind is tuple and isinstance(value, list) and all(_is_number(part) for part in value):
        value = tuple(value)
    if type(value) is not kind:
        raise RecipeError(f"{key} = {_toml(value)}: expected {_type_words(kind)}")
    if isinstance(value, str) and "paths" not in spec.metadata and not is_text(value):
        raise RecipeError(f"{key} = {_toml(value)}: is not UTF-8 text; write it again")
    if "range" in spec.metadata:
        _check_range(key, spec, value)
    choices = spec.metadata.get("choices", (value,))
    if value not in choices:
        words = ", ".join(f'"{word}"' for word in choices)
        raise RecipeError(f"{key} = {_toml(value)}: allowed are {words}")
    return value


def is_text(value: str) -> bool:
    """Return whether ``value`` can be encoded as UTF-8; only paths may contain other bytes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_range(key: str, spec: Field[Any], value: Any) -> None:
    low, high = spec.metadata["range"]
    unit = f" {spec.metadata['unit']}" if spec.metadata["unit"] else ""
    if low == high != float(value):
        raise RecipeError(f"{key} = {_toml(value)}: allowed is only {low:g}{unit}")
    if not low <= float(value) <= high:
        raise RecipeError(
            f"{key} = {_toml(value)}: outside the allowed range {low:g} to {high:g}{unit}"
        )


def limit_fields(section: object) -> dict[str, tuple[str, str, float]]:
    """Return the limits in ``section``: field name to (metric, ``max`` or ``min``, value)."""
    limits = {}
    for spec in fields(section):  # type: ignore[arg-type]
        if spec.metadata.get("limits"):
            metric, sense = spec.metadata["limits"], spec.metadata["sense"]
            limits[spec.name] = (metric, sense, getattr(section, spec.name))
    return limits


def unknown(kind: str, name: str, allowed: Iterable[str], value: object = None) -> RecipeError:
    """Return the error for an unknown name, suggesting the nearest allowed one."""
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
    words = {
        str: "a string",
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        tuple: "a list of numbers",
    }
    return words.get(kind, "a table")
