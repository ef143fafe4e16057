"""Recordings that a verb could not read: listed at the start, reflected in the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import typer

from edge_vc.command_line.errors import EXIT_CHECK
from edge_vc_runtime.message import one_line

_SHOWN = 20


class Notice(Protocol):
    """A recording that was left out."""

    @property
    def notice(self) -> str:
        """The line that names it and says why."""

    @property
    def wanted(self) -> bool:
        """Whether its owner may expect it to be used."""


def name_left_out(items: Sequence[Notice]) -> None:
    """Print a line on stderr for each of the first twenty items."""
    for item in items[:_SHOWN]:
        typer.echo(one_line(item.notice), err=True)
    if len(items) > _SHOWN:
        typer.echo(f"left out: {len(items) - _SHOWN} more", err=True)


def exit_for_left_out(items: Sequence[Notice], found_later: int = 0) -> None:
    """Exit with `EXIT_CHECK` if a wanted recording was left out, after the rest is done.

    ``found_later`` counts those that turned out to be unreadable during the work.
    """
    missed = found_later + sum(item.wanted for item in items)
    if missed:
        typer.echo(f"done without {missed} recordings that could not be read", err=True)
        raise typer.Exit(EXIT_CHECK)
