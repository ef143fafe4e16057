"""What a reader does to recordings that their owner may not expect, said by every verb."""

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
    """Say a line for each recording of ``paths`` that is not read as it stands; twenty at most.

    Those whose channels cancel each other, and those with more behind their samples.
    """
    name_lines([notice for path in paths if (notice := reading_notice(path))], say)


def name_lines(notices: Sequence[str], say: Say = _say) -> None:
    """Say what was noticed of recordings; twenty lines at most."""
    for notice in notices[:_SHOWN]:
        say(one_line(notice))
    if len(notices) > _SHOWN:
        say(f"{len(notices) - _SHOWN} more recordings that are left out or not read as they stand")
