"""Strict parsing of untrusted JSON: every value has a type and a range, every key is known."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")

_UNSEEN = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
TEXT = rf"[^{_UNSEEN}]*"
"""Multi-line text: no escape codes, no characters that change the text direction."""
LINE = rf"[^\t\n{_UNSEEN}]*"
"""The same in a single line."""
_CODE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_RULES = {
    TEXT: "characters without control codes",
    LINE: "characters in one line without control codes",
}
_SHOWN = 60  # characters of an invalid value that are shown in an error
_DEPTH = 64


class FieldError(ValueError):
    """An invalid value; the message is one line with the key, the value and the rule."""


def parse_object(data: bytes) -> dict[str, object]:
    """Parse UTF-8 JSON whose top level is an object; no duplicate keys, no NaN or infinity."""
    try:
        value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
    except FieldError:
        raise
    except UnicodeDecodeError as error:
        raise FieldError(f"is not UTF-8 text (byte {error.start})") from error
    except RecursionError:
        raise FieldError("is nested too deeply") from None
    except ValueError as error:
        raise FieldError(f"is not JSON ({error})") from error
    if not isinstance(value, dict):
        raise FieldError(f"holds {_kind(value)} where an object belongs")
    _refuse_deep(value)
    _refuse_codes(value)
    return value


def _refuse_codes(value: object) -> None:
    """Reject control codes in keys and texts: a terminal would act on them."""
    if isinstance(value, str) and _CODE.search(value):
        raise FieldError(f"holds a control code in {_show(value)}")
    for child in (*value, *_children(value)) if isinstance(value, dict) else _children(value):
        _refuse_codes(child)


def _refuse_deep(value: object) -> None:
    """Reject nesting that recursive code could not handle: the parser allows hundreds of levels."""
    level = [value]
    for _ in range(_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise FieldError(f"is nested more than {_DEPTH} levels deep")


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise FieldError(f"has the key {_show(key)} twice")
        found[key] = value
    return found


def _refuse_constant(text: str) -> float:
    raise FieldError(f"holds {text}, which is not JSON")


class Fields:
    """The keys of one JSON object, taken one by one; `done` rejects keys that were not taken."""

    def __init__(self, value: object, where: str = "") -> None:
        if not isinstance(value, dict):
            raise FieldError(f"{where or 'it'} is {_kind(value)}, an object belongs there")
        self._values: dict[str, object] = dict(value)
        self._where = where

    def take(self, key: str) -> object:
        """Remove and return the value of ``key``; raise `FieldError` if it is missing."""
        if key not in self._values:
            raise FieldError(f"{self.path(key)} is missing")
        return self._values.pop(key)

    def text(self, key: str, pattern: str = TEXT, limit: int = 4000) -> str:
        """Take a string of at most ``limit`` characters that matches ``pattern`` in full."""
        value = self.take(key)
        if not isinstance(value, str):
            raise self._wrong(key, value, "a string")
        if len(value) > limit or not re.fullmatch(pattern, value):
            rule = _RULES.get(pattern, f"characters matching {pattern}")
            raise self._wrong(key, value, f"at most {limit} {rule}")
        return value

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        """Take one of the ``allowed`` strings."""
        value = self.take(key)
        if not isinstance(value, str) or value not in allowed:
            raise self._wrong(key, value, "one of " + ", ".join(allowed))
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        """Take an integer within ``low..high``."""
        value = self.take(key)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(key, value, f"an integer from {low} to {high}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """Take a finite number within ``low..high``."""
        value = self.take(key)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            raise self._wrong(key, value, f"a number from {low:g} to {high:g}")
        return float(value)

    def optional(self, key: str, read: Callable[[Fields], T]) -> T | None:
        """Take an object read by ``read``, or null."""
        value = self.take(key)
        return None if value is None else read(Fields(value, self.path(key)))

    def child(self, key: str) -> Fields:
        """Take an object."""
        return Fields(self.take(key), self.path(key))

    def children(self, key: str, limit: int) -> list[Fields]:
        """Take a list of at most ``limit`` objects."""
        return [
            Fields(value, f"{self.path(key)}[{index}]")
            for index, value in enumerate(self.items(key, limit))
        ]

    def items(self, key: str, limit: int) -> list[object]:
        """Take a list of at most ``limit`` values of any type."""
        value = self.take(key)
        if not isinstance(value, list) or len(value) > limit:
            raise self._wrong(key, value, f"a list of at most {limit}")
        return value

    def names(self) -> list[str]:
        """Return the keys that have not been taken yet."""
        return list(self._values)

    def rest(self) -> dict[str, object]:
        """Take all remaining keys with their values; non-finite numbers are rejected."""
        values, self._values = self._values, {}
        _refuse_infinite(values, self._where)
        return values

    def done(self) -> None:
        """Raise `FieldError` if a key was not taken."""
        if self._values:
            raise FieldError(f"{self.path(next(iter(self._values)))} is not a known key")

    def path(self, key: str) -> str:
        """Return the dotted name of ``key`` for an error."""
        name = key if re.fullmatch(r"[\w.-]{1,100}", key) else _show(key)
        return f"{self._where}.{name}" if self._where else name

    def _wrong(self, key: str, value: object, rule: str) -> FieldError:
        return FieldError(f"{self.path(key)} is {_show(value)}, it has to be {rule}")


def _refuse_infinite(value: object, where: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise FieldError(f"{where} holds a number that is not finite")
    for child in _children(value):
        _refuse_infinite(child, where)


def _kind(value: object) -> str:
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return _show(value)


def _show(value: object) -> str:
    """Return a short one-line form of an untrusted value."""
    text = ascii(value) if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
