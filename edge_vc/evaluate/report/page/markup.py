"""HTML as values: text that is not markup is escaped."""

from __future__ import annotations

import html

VOID = frozenset({"img", "meta", "link", "br", "path", "line", "rect", "polyline", "circle"})
_TURNING = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
"""Characters that change the text direction, mapped to escapes."""


class Markup(str):
    """A string that is already HTML."""

    __slots__ = ()


Child = str | Markup | None
"""Plain text is escaped, None is left out."""


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """Return an element; ``class_`` is ``class``, other underscores are dashes.

    An attribute that is None or False is left out, one that is True has no value.
    """
    words = [name, *(_attribute(key, value) for key, value in attributes.items())]
    opening = " ".join(word for word in words if word)
    if name in VOID:
        return (
            Markup(f"<{opening}>")
            if name in ("img", "meta", "link", "br")
            else Markup(f"<{opening}/>")
        )
    return Markup(f"<{opening}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    """Concatenate children, escaping plain text."""
    return Markup("".join(_escaped(child) for child in children if child is not None))


def _escaped(child: str) -> str:
    return child if isinstance(child, Markup) else html.escape(child.translate(_TURNING))


def _attribute(key: str, value: str | float | bool | None) -> str:
    name = key.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if value is True:
        return name
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f'{name}="{html.escape(text)}"'
