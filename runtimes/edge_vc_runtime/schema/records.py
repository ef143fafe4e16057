"""Frozen dataclasses as JSON and back, strictly, with the JSON Schema that describes them."""

from __future__ import annotations

import dataclasses
import sys
import types
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from edge_vc_runtime.schema.fields import FieldError

T = TypeVar("T")

_SCALARS: dict[Any, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_WORDS: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: f"a number of at most {sys.float_info.max:.1g}",
}
_LARGEST = sys.float_info.max
_UNIONS = (Union, types.UnionType)


def from_json_value(kind: type[T], value: object, where: str = "") -> T:
    """Build a dataclass from parsed JSON.

    Raises `FieldError` for a missing or unknown key and for a value of the wrong type. A field with
    a default may be missing: files written before it existed remain readable.
    """
    result: T = _decode(kind, value, where)
    return result


def json_schema(kind: type[Any]) -> dict[str, object]:
    """Return the JSON Schema of a dataclass; keys without a default are required."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_schema(kind)}


def _decode(kind: Any, value: object, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _decode_object(kind, value, where)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in _UNIONS:
        inner = next(a for a in arguments if a is not type(None))
        return None if value is None else _decode(inner, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(_decode(arguments[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is Literal and value in arguments:
        return value
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) <= _LARGEST:  # an integer of 400 digits cannot be a float
            return float(value)
    elif kind in _SCALARS and type(value) is kind:
        return value
    raise FieldError(f"{where} is {value!r:.60}, it has to be {_described(kind)}")


def _described(kind: Any) -> str:
    """Return in words what a value has to be."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(str(each) for each in arguments)
    if origin is tuple:
        return "a list"
    return _WORDS.get(kind, "an object")


def _decode_object(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise FieldError(f"{where or 'it'} is {value!r:.60}, it has to be an object")
    hints = get_type_hints(kind)
    for key in (hints.keys() ^ value.keys()) - _optional(kind):
        fact = "is missing" if key in hints else "is not a known key"
        raise FieldError(f"{where}.{key} {fact}".lstrip("."))
    return kind(**{k: _decode(hints[k], v, f"{where}.{k}".lstrip(".")) for k, v in value.items()})


def _optional(kind: Any) -> set[str]:
    return {f.name for f in dataclasses.fields(kind) if f.default is not dataclasses.MISSING}


def _schema(kind: Any) -> dict[str, object]:
    if dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        return {
            "type": "object",
            "properties": {name: _schema(hint) for name, hint in hints.items()},
            "required": [name for name in hints if name not in _optional(kind)],
            "additionalProperties": False,
        }
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in _UNIONS:
        inner = next(a for a in arguments if a is not type(None))
        return {"anyOf": [_schema(inner), {"type": "null"}]}
    if origin is tuple:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is Literal:
        return {"enum": list(arguments)}
    return {"type": _SCALARS[kind]}
