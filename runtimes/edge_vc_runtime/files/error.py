"""What can be wrong with an output."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

PathLike = str | os.PathLike[str]


class OutputError(OSError):
    """A file that cannot be written; one line that names it, as the user did, and the reason."""

    @classmethod
    def refused(cls, path: PathLike, reason: str) -> OutputError:
        """Return the error for an output that is not even tried."""
        return cls(errno.EINVAL, reason, os.fspath(path))

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}" if self.filename else str(self.strerror)


@contextmanager
def named(path: PathLike, *inner: PathLike) -> Iterator[None]:
    """Turn the operating system's errors about ``path`` into `OutputError`.

    ``inner`` are names that stand for it and that no user has to know. Errors about other files
    pass, and so does a pipe whose reader went away.
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
