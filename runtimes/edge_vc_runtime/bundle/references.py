"""Cross-references between a manifest's entries: files must be listed, names unique."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from edge_vc_runtime.bundle.entries import FileEntry, Golden, ModelEntry, StateSpec
from edge_vc_runtime.schema.fields import FieldError

STATE_LIMIT = 1 << 25
"""Largest size in bytes of all states of one student."""


def check_references(
    default: str,
    models: Sequence[ModelEntry],
    golden: Golden | None,
    states: Sequence[StateSpec],
    files: Mapping[str, FileEntry],
    place: str = "",
) -> None:
    """Raise `FieldError`, beginning with ``place``, for invalid references of one student."""
    names = [model.file for model in models]
    if default not in names:
        have = ", ".join(names) or "none"
        raise FieldError(f"{place}default is {default!r}, models has {have}")
    if golden:
        names.append(golden.file)
    for name in names:
        if name not in files:
            raise FieldError(f"{place}files does not list {name!r}")
    states_named = [state.name for state in states]
    if len(set(states_named)) != len(states_named):
        raise FieldError(f"{place}states has a name twice")
    needed = sum(4 * prod(state.shape) for state in states)
    if needed > STATE_LIMIT:
        raise FieldError(f"{place}states need {needed} bytes, at most {STATE_LIMIT} are allowed")
