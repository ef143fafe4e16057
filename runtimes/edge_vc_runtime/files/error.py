"""Errors of output files."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

PathLike = str | os.PathLike[str]


class OutputError(OSError):
    """A file that cannot be written; one line with the name given by the user and the reason."""

    @classmethod
    def refused(cls, path: PathLike, reason: str) -> OutputError:
        """Return the error for an output that is rejected without trying."""
        return cls(errno.EINVAL, reason, os.fspath(path))

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}" if self.filename else str(self.strerror)


@contextmanager
def named(path: PathLike, *inner: PathLike) -> Iterator[None]:
    """Convert the operating system's errors about ``path`` to `OutputError`.

    ``inner`` are internal names for it that users do not need to know. Errors about other files are
    passed on, and so is a broken pipe.
    """
    try:
        yield
    except (OutputError, BrokenPipeError):
        raise
    except OSError as error:
        own = {None, *(os.fspath(each) for each in (path, *inner))}
        if error.filename not in own:
            raise
        reason = error.strerror or str(error)
        raise OutputError(error.errno or errno.EIO, reason, os.fspath(path)) from error
