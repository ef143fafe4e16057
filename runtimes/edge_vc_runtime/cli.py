"""The board command ``edge-vc-rt``: arguments in, exit code out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches

from edge_vc_runtime.arguments import build_parser
from edge_vc_runtime.errors import ERRORS
from edge_vc_runtime.message import escape_unprintable, one_line, unexpected, wants_traceback
from edge_vc_runtime.outputs import check_outputs
from edge_vc_runtime.streams import discard_stdout, open_streams, results_only
from edge_vc_runtime.telemetry import disable_telemetry
from edge_vc_runtime.termination import Termination


def main(
    argv: Sequence[str] | None = None,
    prog: str = "edge-vc-rt",
    locate: Callable[[str], str] = str,
) -> int:
    """Run one command and return its exit code.

    ``locate`` converts the BUNDLE argument to a path; the host command uses it to accept the names
    of shipped bundles. It may raise `BundleError`.

    0 done, 1 a check failed, 2 bad input, 3 a deadline was missed and `--fail-on-miss` was given,
    129 terminal closed, 130 interrupted, 141 broken pipe, 143 terminated. With EDGE_VC_DEBUG set,
    errors are raised.
    """
    open_streams()
    escape_unprintable()
    disable_telemetry()
    given = sys.argv[1:] if argv is None else argv
    shown = prog
    try:
        with Termination(), results_only():
            arguments = _parse(build_parser(prog, given[0] if given else None), given)
            shown = arguments.parser.prog
            if "bundle" in arguments:
                arguments.bundle = locate(arguments.bundle)
            check_outputs(arguments)
            code: int = arguments.command(arguments)
            return code
    except ERRORS as error:
        return _refuse(shown, error, str(error))
    except KeyboardInterrupt:
        print(f"\n{shown}: interrupted; no partial output is left", file=sys.stderr)
        return 130
    except BrokenPipeError:
        discard_stdout()
        return 141
    except Exception as error:  # any error caused by an untrusted file is also one line
        if isinstance(error, OSError):
            discard_stdout()  # stdout may be what could not be written
        return _refuse(shown, error, unexpected(error))


def _refuse(command: str, error: Exception, message: str) -> int:
    """Print one line and return the exit code, or raise the error if debugging is requested."""
    if wants_traceback():
        raise error
    print(f"{command}: error: {one_line(message)}", file=sys.stderr)
    return 2


def _parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """Parse; report an unknown option as an error of the verb that it was given to."""
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        verb: argparse.ArgumentParser = arguments.parser
        flags = [flag for action in verb._actions for flag in action.option_strings]
        near = get_close_matches(unknown[0].partition("=")[0], flags, n=1)
        guess = f"; did you mean {near[0]}?" if near else ""
        verb.error(f"unrecognized arguments: {' '.join(unknown)}{guess}")
    return arguments
