"""A command's three standard streams: always open, with stdout reserved for results."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO, cast

from edge_vc_runtime.files.error import named

_MODES = {0: os.O_WRONLY, 1: os.O_RDONLY, 2: os.O_WRONLY}
"""Modes of the null device that replaces a closed descriptor: reading from a closed stdin fails,
and so does writing to a closed stdout. Unwanted messages are not an error."""


def open_streams() -> None:
    """Replace descriptors 0, 1 and 2 that were closed when the command started.

    Otherwise the next opened file would get such a number, and libraries would write their messages
    into it; messages for a missing stderr would be printed to stdout, into audio.
    """
    for descriptor, mode in _MODES.items():
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, mode)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
    if sys.stdin is None:
        sys.stdin = _stream(os.open(os.devnull, os.O_WRONLY), "r")
    if sys.stdout is None:
        sys.stdout = _stream(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = _stream(os.open(os.devnull, os.O_WRONLY), "w")


def discard_stdout() -> None:
    """Discard unwritten stdout data, which the interpreter would try to write again at exit."""
    with suppress(AttributeError, OSError, ValueError):
        try:
            sys.stdout.flush()
            return
        except OSError:
            pass
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


@contextmanager
def results_only() -> Iterator[None]:
    """Keep the output of C libraries out of stdout while the block runs.

    ``sys.stdout`` keeps its destination; file descriptor 1 is stderr in the meantime, so that a
    library's banner never ends up in piped audio or JSON.
    """
    sys.stdout.flush()
    before = sys.stdout
    kept = os.dup(1)
    os.dup2(2, 1)
    if _descriptor(before) == 1:
        sys.stdout = _stream(os.dup(kept), "w", before)
    try:
        yield
    finally:
        try:
            with named("stdout"):
                sys.stdout.flush()
        finally:
            _restore(before, kept)


def _restore(before: TextIO, kept: int) -> None:
    """Restore stdout, regardless of what happened to the stream that replaced it."""
    os.dup2(kept, 1)
    os.close(kept)
    if sys.stdout is not before:
        stream, sys.stdout = sys.stdout, before
        with suppress(OSError):  # the earlier flush has already reported a failed write
            stream.close()


def _stream(descriptor: int, mode: str, like: TextIO | None = None) -> TextIO:
    return cast(
        TextIO,
        open(
            descriptor,
            mode,
            encoding=(like.encoding if like else None) or "utf-8",
            errors=(like.errors if like else None) or "backslashreplace",
        ),
    )


def _descriptor(stream: TextIO) -> int | None:
    """Return a stream's descriptor, None if it was replaced by an in-memory object."""
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None
