"""Errors as the user sees them: one printable line and an exit code, whatever went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from shlex import join

import typer

from edge_vc_runtime.message import one_line, printable, system_message, unexpected, wants_traceback
from edge_vc_runtime.streams import discard_stdout

EXIT_CHECK = 1
"""The work was done but its result was rejected: beyond a limit, or nothing was kept."""
EXIT_INPUT = 2
"""Unusable input: a flag, a file, a recipe."""
EXIT_INTERRUPT = 130
EXIT_PIPE = 141
_PACKAGES = ("edge_vc", "edge_vc_boards", "edge_vc_export", "edge_vc_runtime")


class InputError(ValueError):
    """Arguments that cannot be used together or at all; one-line message."""


class CheckError(ValueError):
    """The result of finished work is rejected; one-line message."""

    exit_code = EXIT_CHECK


def user_message(error: BaseException) -> str | None:
    """Return the line that tells the user what to do about an error, or None.

    Errors of this project's own classes are written for users, and the operating system's errors
    name a file or a resource. All other errors are unexpected.
    """
    if isinstance(error, OSError):
        return system_message(error)
    if type(error).__module__.partition(".")[0] in _PACKAGES:
        return str(error)
    return None


def fail(command: str, message: str) -> None:
    """Print ``command: error: message`` on stderr as one line without control characters."""
    typer.echo(f"{command}: error: {one_line(message)}", err=True)


@contextmanager
def error_net(command: str, words: Sequence[str] = ()) -> Iterator[None]:
    """Turn errors that a user can fix into one line and an exit code.

    ``words`` is the whole command line if running it again resumes the work; the message on Ctrl-C
    then says so. Raises `typer.Exit` in place of the caught exception. An unexpected error, most
    often caused by a malformed file, is one line as well; `EDGE_VC_DEBUG` keeps every traceback.
    """
    try:
        yield
    except KeyboardInterrupt:
        resume = f"; to resume, run the same command again: {join(words)}" if words else ""
        typer.echo(printable(f"{command}: interrupted{resume}"), err=True)
        raise typer.Exit(EXIT_INTERRUPT) from None
    except BrokenPipeError:
        discard_stdout()
        raise typer.Exit(EXIT_PIPE) from None
    except typer.Exit:
        raise
    except typer.Abort as error:  # a prompt without an answer
        if isinstance(error.__context__, KeyboardInterrupt):
            raise typer.Exit(EXIT_INTERRUPT) from None
        fail(
            command,
            "asks for what was not given, and there is nobody to answer on stdin; give its option",
        )
        raise typer.Exit(EXIT_INPUT) from None
    except Exception as error:
        if wants_traceback():
            raise
        if isinstance(error, OSError):
            discard_stdout()  # it may be what could not be written
        fail(command, user_message(error) or unexpected(error))
        raise typer.Exit(getattr(error, "exit_code", EXIT_INPUT)) from error
