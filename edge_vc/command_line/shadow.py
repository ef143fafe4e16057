"""A Typer stand-in for a verb of the board command, so that a shell can complete its flags."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from edge_vc.command_line.verb import verb_app


def shadow_command(parser: argparse.ArgumentParser, bundles: Iterable[str]) -> Any:
    """Return a no-op command with the flags and arguments of ``parser``.

    A shell completes the choices of a flag, and ``bundles`` where a BUNDLE is expected.
    """
    words = {"bundle": tuple(bundles)}
    actions = [action for action in parser._actions if action.dest != "help"]
    parameters = [
        _parameter(action, action.choices or words.get(action.dest, ())) for action in actions
    ]

    def verb(**_: Any) -> None: ...

    verb.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    verb.__annotations__ = {each.name: each.annotation for each in parameters}
    app = verb_app()
    app.command()(verb)
    return typer.main.get_command(app)


def _parameter(action: argparse.Action, words: Iterable[Any]) -> inspect.Parameter:
    """Return an argparse action as a parameter that Typer understands."""
    complete = _starting_with(tuple(map(str, words)))
    kind, default = (bool, False) if action.nargs == 0 else (str, "")
    info = (
        typer.Option(*action.option_strings, help=action.help, autocompletion=complete)
        if action.option_strings
        else typer.Argument(help=action.help, autocompletion=complete)
    )
    return inspect.Parameter(
        action.dest,
        inspect.Parameter.KEYWORD_ONLY,
        default=default,
        annotation=Annotated[kind, info],
    )


def _starting_with(words: tuple[str, ...]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return complete
