"""Output options of host verbs, declared as such so that every verb checks them up front."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import typer

from edge_vc_runtime.files.output_place import OutputPlace
from edge_vc_runtime.outputs import GivenArgument


def output_option(place: OutputPlace, *names: str, metavar: str = "", **settings: Any) -> Any:
    """Return a Typer option, or an argument if no dashed names are given, for an output.

    ``settings`` are those of `typer.Option`.
    """
    shown = metavar or ("DIR" if place.folder else "FILE")
    return typer.Option(*names, metavar=shown, parser=place.path, **settings)


def given_arguments(
    parameters: Iterable[Any], values: Mapping[str, Any]
) -> Iterator[GivenArgument]:
    """Yield a command's parameters with the value given for each."""
    for parameter in parameters:
        options = [name for name in parameter.opts if name.startswith("--")]
        name = parameter.name
        shown = (options or [str(name).upper()])[0]
        yield GivenArgument(name, shown, output_place(parameter), values.get(name))


def output_place(parameter: Any) -> OutputPlace | None:
    """Return the output type of a parameter; None if it is not an output."""
    place = getattr(parameter.type_descriptor.parameter_info.parser, "__self__", None)
    return place if isinstance(place, OutputPlace) else None
