"""The ``control`` command, from parsed arguments to an exit code."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_vc_runtime.control.client import ask
from edge_vc_runtime.control.error import ControlError
from edge_vc_runtime.control.place import default_place
from edge_vc_runtime.message import one_line


def control(action: str, names: Sequence[str], place: Path | None, as_json: bool) -> int:
    """``control get|set|status``: send a request to the run and print the reply."""
    answer = ask(place or default_place(), _request(action, names))
    if as_json:
        print(json.dumps(answer))
        return 0
    values = answer.get("status" if action == "status" else "values")
    if not isinstance(values, Mapping):
        raise ControlError("the run's reply contains no values; is it another version?")
    for name, value in values.items():
        print(one_line(f"{name} {_shown(value)}"))
    return 0


def _request(action: str, names: Sequence[str]) -> dict[str, object]:
    if action == "set":
        pairs = [name.partition("=") for name in names]
        if not pairs or not all(equals for _, equals, _ in pairs):
            raise ControlError("set: give NAME=VALUE, as in `set pitch=2`")
        return {"set": {name: value for name, _, value in pairs}}
    if len(names) > (1 if action == "get" else 0):
        raise ControlError(f"{action}: {' '.join(names)!a:.60} is too much; ask for one, or all")
    if action == "get":
        return {"get": names[0] if names else None}
    return {"status": True}


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)
