"""Rejects outputs that are inputs under another name, before anything is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import combinations

from edge_vc_runtime.errors import UsageError

_Path = str | os.PathLike[str]


def refuse_aliases(outputs: Iterable[_Path | None], inputs: Iterable[_Path | None] = ()) -> None:
    """Raise `UsageError` if an output is one of the inputs, or two outputs are the same file.

    Links, and names that differ in case only, are resolved by asking the file system whether both
    are the same file. None and ``-``, which is a pipe, are ignored.
    """
    written = [os.fspath(path) for path in outputs if path is not None and path != "-"]
    read = [os.fspath(path) for path in inputs if path is not None and path != "-"]
    for made in written:
        for given in read:
            if _same(made, given):
                name = "" if made == given else f", under the name {given}"
                kind = "folder" if os.path.isdir(made) else "file"
                raise UsageError(f"{made}: is an input{name}; write to another {kind}")
    for one, other in combinations(written, 2):
        if _same(one, other):
            raise UsageError(f"{one}: is given for two outputs; write to two files")


def _same(one: str, other: str) -> bool:
    try:
        # A device may be read and written at the same time.
        return os.path.samefile(one, other) and (os.path.isfile(one) or os.path.isdir(one))
    except (OSError, ValueError):  # one of them does not exist yet
        return _place(one) == _place(other)


def _place(path: str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path
