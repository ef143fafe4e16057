"""The docstrings below the fields of a settings dataclass, for help and examples."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise


def field_notes(kind: type) -> dict[str, str]:
    """Return the docstring below each field of a class and its bases, as one line.

    Fields without one are omitted, as are those of a class whose source is not available.
    """
    notes: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        notes |= _own_notes(base)
    return notes


def first_line(kind: type) -> str:
    """Return the first line of a class's docstring, without its final full stop."""
    return (inspect.getdoc(kind) or "").partition("\n")[0].rstrip(".")


def plain(note: str) -> str:
    """Return a note without docstring markup."""
    return note.replace("``", "").replace("`", "")


def _own_notes(kind: type) -> dict[str, str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind)))
    except (OSError, TypeError):
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    notes = {}
    for above, below in pairwise(body):
        named = isinstance(above, ast.AnnAssign) and isinstance(above.target, ast.Name)
        text = below.value.value if _is_text(below) else None  # type: ignore[attr-defined]
        if named and isinstance(text, str):
            notes[above.target.id] = " ".join(text.split())  # type: ignore[attr-defined]
    return notes


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
