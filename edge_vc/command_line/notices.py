"""Notices, printed by every verb, about recordings that are not read exactly as stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import typer

from edge_vc_runtime.audio.file_source import reading_notice
from edge_vc_runtime.message import one_line

_SHOWN = 20


Say = Callable[[str], None]


def _say(line: str) -> None:
    typer.echo(line, err=True)


def name_notices(paths: Iterable[Path], say: Say = _say) -> None:
    """Print a line for each recording of ``paths`` not read exactly as stored; at most twenty.

    These are recordings whose channels cancel each other, or with data after their samples.
    """
    name_lines([notice for path in paths if (notice := reading_notice(path))], say)


def name_lines(notices: Sequence[str], say: Say = _say) -> None:
    """Print notices about recordings; at most twenty lines."""
    for notice in notices[:_SHOWN]:
        say(one_line(notice))
    if len(notices) > _SHOWN:
        say(f"{len(notices) - _SHOWN} more recordings left out or not read exactly as stored")
