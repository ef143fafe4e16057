"""The board command ``edge-vc-rt``: arguments in, exit code out."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from types import FrameType

from edge_vc_runtime.arguments import build_parser
from edge_vc_runtime.errors import ERRORS
from edge_vc_runtime.message import escape_unprintable, one_line, unexpected, wants_traceback


def main(
    argv: Sequence[str] | None = None,
    prog: str = "edge-vc-rt",
    locate: Callable[[str], str] = str,
) -> int:
    """Run one command and return its exit code.

    ``locate`` turns what the user gave as BUNDLE into a path; the host command uses it to accept
    the names of shipped bundles. It may raise `BundleError`.

    0 done, 1 a check failed, 2 bad input, 3 a deadline was missed and `--fail-on-miss` was given,
    130 interrupted, 141 the reader of a pipe went away, 143 terminated. With EDGE_VC_DEBUG set,
    errors are raised.
    """
    escape_unprintable()
    given = sys.argv[1:] if argv is None else argv
    arguments = _parse(build_parser(prog, given[0] if given else None), given)
    try:
        with _Termination():
            if "bundle" in arguments:
                arguments.bundle = locate(arguments.bundle)
            code: int = arguments.command(arguments)
            sys.stdout.flush()
            return code
    except ERRORS as error:
        return _refuse(arguments, error, str(error))
    except KeyboardInterrupt:
        print(f"\n{arguments.parser.prog}: interrupted; no partial output is left", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The interpreter flushes once more at its end; give it somewhere to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except Exception as error:  # whatever a stranger's file brings about is one line too
        return _refuse(arguments, error, unexpected(error))


def _refuse(arguments: argparse.Namespace, error: Exception, message: str) -> int:
    """Print one line and return the exit code, or raise the error for who asked to see it."""
    if wants_traceback():
        raise error
    print(f"{arguments.parser.prog}: error: {one_line(message)}", file=sys.stderr)
    return 2


def _parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Parse, and name an unknown flag beside the usage of the verb that it was given to."""
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        verb: argparse.ArgumentParser = arguments.parser
        flags = [flag for action in verb._actions for flag in action.option_strings]
        near = get_close_matches(unknown[0].partition("=")[0], flags, n=1)
        guess = f"; did you mean {near[0]}?" if near else ""
        verb.error(f"unrecognized arguments: {' '.join(unknown)}{guess}")
    return arguments


class _Termination:
    """Turns SIGTERM into an exit that runs every clean-up on its way."""

    def __enter__(self) -> None:
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = signal.signal(signal.SIGTERM, _terminate)

    def __exit__(self, *_: object) -> None:
        if self._main:
            signal.signal(signal.SIGTERM, self._before)


def _terminate(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + signum)
