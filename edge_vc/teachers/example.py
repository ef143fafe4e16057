"""An example of a recipe's ``[teacher]`` section, made from the settings of its kind."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import fields

from edge_vc.settings.notes import field_notes, plain
from edge_vc.teachers.kind import TeacherKind

_WIDTH = 96


def example_section(kind: TeacherKind, values: Mapping[str, object] | None = None) -> str:
    """Return ``[teacher]`` with every key of ``kind``, from ``values``, an example or the default.

    The settings' notes become comments above their keys.
    """
    notes = field_notes(kind.spec)
    lines = ["[teacher]"]
    for spec in fields(kind.spec):
        note = "" if spec.name == "kind" else plain(notes.get(spec.name, ""))
        lines += [f"# {line}" for line in textwrap.wrap(note, _WIDTH)]
        value = spec.metadata.get("example") or spec.default
        value = (values or {}).get(spec.name, value)
        unit = spec.metadata.get("unit", "").replace(spec.name, "")
        lines.append(f"{spec.name} = {json.dumps(value)}" + (f"  # {unit}" if unit else ""))
    return "\n".join(lines) + "\n"
