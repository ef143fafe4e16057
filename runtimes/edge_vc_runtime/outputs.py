"""The outputs of a parsed command line, checked in one place for every verb."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from edge_vc_runtime.aliases import refuse_aliases
from edge_vc_runtime.errors import UsageError
from edge_vc_runtime.files.output_place import STDOUT, OutputPlace


class GivenArgument(NamedTuple):
    """One argument of a verb as given."""

    name: str
    """Its name in the program."""
    shown: str
    """Its name for the user: ``--json``."""
    place: OutputPlace | None
    """The permitted outputs, if it is one."""
    value: object


def check_outputs(arguments: argparse.Namespace) -> None:
    """Raise if an output of a parsed verb is an input or cannot be written."""
    given = (
        GivenArgument(
            action.dest,
            action.option_strings[0] if action.option_strings else str(action.metavar),
            action.type if isinstance(action.type, OutputPlace) else None,
            getattr(arguments, action.dest, None),
        )
        for action in arguments.parser._actions
    )
    check_given(given)


def check_given(given: Iterable[GivenArgument]) -> None:
    """Raise `UsageError` for an output that is an input, `OutputError` for an unwritable one.

    Everything that is not declared as an output counts as an input.
    """
    everything = list(given)
    for one in everything:
        if one.place is not None:
            outputs = one.place.named_in(one.value)
            read = [other for other in everything if other.name not in one.place.replaces]
            inputs = [path for other in read if not other.place for path in _paths(other.value)]
            refuse_aliases(outputs, inputs)
    files = [one for one in everything if one.place is not None and not one.place.folder]
    refuse_aliases(path for one in files if one.place for path in one.place.named_in(one.value))
    _refuse_two_on_stdout(everything)
    for one in everything:
        if one.place is not None:
            one.place.check(one.shown, one.value)


def _refuse_two_on_stdout(given: Iterable[GivenArgument]) -> None:
    piped = [one.shown for one in given if one.place is not None and one.value == STDOUT]
    if len(piped) > 1:
        raise UsageError(f"stdout is given for {' and '.join(piped)}; write all but one to files")


def _paths(value: object) -> Iterator[str]:
    """Yield the existing paths in an argument: texts, lists, the end of ``NAME=PATH``."""
    if isinstance(value, list | tuple):
        for each in value:
            yield from _paths(each)
    elif isinstance(value, str | os.PathLike):
        text = os.fspath(value)
        for path in (text, text.partition("=")[2]):
            if path and os.path.exists(path):
                yield path
