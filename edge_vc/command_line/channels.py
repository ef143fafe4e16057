"""Recordings whose channels cancel each other: named, since one channel is taken alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import typer

from edge_vc_runtime.audio.file_source import cancelling_notice
from edge_vc_runtime.message import one_line

_SHOWN = 20


def name_cancelling(
    paths: Iterable[Path], say: Callable[[str], None] = lambda line: typer.echo(line, err=True)
) -> None:
    """Say a line for each recording of ``paths`` whose mean would be silence; twenty at most."""
    notices = [notice for path in paths if (notice := cancelling_notice(path))]
    for notice in notices[:_SHOWN]:
        say(one_line(notice))
    if len(notices) > _SHOWN:
        say(f"{len(notices) - _SHOWN} more recordings whose channels cancel each other")
