"""The board command ``edge-vc-rt``: arguments in, exit code out."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import textwrap
import threading
from collections.abc import Sequence
from types import FrameType

from edge_vc_runtime import __version__
from edge_vc_runtime.commands import choose, inspect, profile, report, run
from edge_vc_runtime.errors import ERRORS
from edge_vc_runtime.profiling.report import ENVIRONMENTS

_RUN_EXAMPLES = """examples:
  {prog} kathleen.evc in.wav out.wav
  {prog} kathleen.evc song.flac out.wav --output-rate 44100
  arecord -t raw -f S16_LE -r 16000 | {prog} kathleen.evc - - | aplay -t raw -f S16_LE -r 16000
"""
_PROFILE_EXAMPLES = """examples:
  {prog} kathleen.evc
  {prog} kathleen.evc --mode paced --seconds 1800 --json report.json --png report.png
  {prog} kathleen.evc --precision fp32 --threads 2 --fail-on-miss
"""


def main(argv: Sequence[str] | None = None, prog: str = "edge-vc-rt") -> int:
    """Run one command and return its exit code.

    0 done, 1 a check failed, 2 bad input, 3 a deadline was missed and `--fail-on-miss` was given,
    130 interrupted, 141 the reader of a pipe went away, 143 terminated.
    """
    arguments = build_parser(prog).parse_args(argv)
    try:
        with _Termination():
            code: int = arguments.command(arguments)
            sys.stdout.flush()
            return code
    except ERRORS as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\n{prog}: interrupted, nothing half-written is left", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The interpreter flushes once more at its end; give it somewhere to flush to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141


def build_parser(prog: str = "edge-vc-rt") -> argparse.ArgumentParser:
    """Return the parser; ``prog`` is how the user calls it."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Runs and measures voice-conversion bundles (.evc) on this machine.",
        epilog=f"Each command explains itself: {prog} run --help",
    )
    parser.add_argument("--version", action="version", version=f"edge-vc-runtime {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands, prog)
    _add_profile(commands, prog)
    _add_inspect(commands, prog)
    _add_choose(commands, prog)
    _add_report(commands, prog)
    return parser


_Commands = argparse._SubParsersAction  # argparse has no public name for it


def _add_run(commands: _Commands[argparse.ArgumentParser], prog: str) -> None:
    parser = _command(
        commands,
        "run",
        "convert a recording",
        "Converts speech hop by hop, as a live microphone would be, in constant memory. Files may "
        "have any sample rate and number of channels. The output is mono, lies exactly under the "
        "input and is as long; it keeps the model's sample rate unless --output-rate is given. "
        "'-' is raw S16_LE mono on stdin or stdout.",
        _RUN_EXAMPLES.format(prog=f"{prog} run"),
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    parser.add_argument("input", metavar="IN", help="WAV or FLAC file, or - for raw audio on stdin")
    parser.add_argument("output", metavar="OUT", help="WAV or FLAC file, or - for raw on stdout")
    _add_engine(parser)
    parser.add_argument("--input-rate", type=int, metavar="HZ", help="rate of raw audio on stdin")
    parser.add_argument("--output-rate", type=int, metavar="HZ", help="rate of the output")
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    parser.set_defaults(command=run)


def _add_profile(commands: _Commands[argparse.ArgumentParser], prog: str) -> None:
    parser = _command(
        commands,
        "profile",
        "measure a bundle on this machine",
        "Measures time per hop back to back (tight) and once per hop's duration (paced, as real "
        "audio comes), the first hop of a new process, its memory, and time by kind of node.",
        _PROFILE_EXAMPLES.format(prog=f"{prog} profile"),
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    _add_engine(parser)
    parser.add_argument("--mode", choices=("tight", "paced", "both"), default="both")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="audio per mode (default: 10); 1800 is half an "
        "hour under load",
    )  # fmt: skip
    parser.add_argument("--warmup", type=int, default=100, metavar="HOPS", help="(default: 100)")
    parser.add_argument("--environment", choices=ENVIRONMENTS, help="where this is (default: look)")
    parser.add_argument("--no-cold-start", action="store_true", help="start no second process")
    parser.add_argument("--no-ops", action="store_true", help="leave out the table of nodes")
    parser.add_argument("--fail-on-miss", action="store_true", help="exit 3 on a missed deadline")
    _add_outputs(parser)
    parser.set_defaults(command=profile)


def _add_inspect(commands: _Commands[argparse.ArgumentParser], prog: str) -> None:
    parser = _command(
        commands,
        "inspect",
        "say what is in a bundle",
        "Checks every byte of a bundle against its manifest and prints what the manifest says.",
        f"examples:\n  {prog} inspect kathleen.evc\n  {prog} inspect kathleen.evc --check\n",
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    parser.add_argument("--json", action="store_true", help="print the manifest itself")
    parser.add_argument(
        "--check",
        action="store_true",
        help="replay the golden recording and compare; exit 1 if off",
    )
    parser.set_defaults(command=inspect)


def _add_choose(commands: _Commands[argparse.ArgumentParser], prog: str) -> None:
    parser = _command(
        commands,
        "choose",
        "measure which engine is fastest here",
        "Times every engine and precision that can run the bundle on this machine, in turns, and "
        "keeps the result under $XDG_STATE_HOME/edge-vc. From then on --engine auto takes the "
        "fastest, unless the board has a profile that names an engine. A precision other than the "
        "bundle's own is taken only where it is faster by a tenth.",
        f"examples:\n  {prog} choose kathleen.evc\n  {prog} choose kathleen.evc --threads 2\n",
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    _add_threads(parser)
    parser.add_argument(
        "--seconds", type=_seconds, default=0.5, help="per engine and precision (default: 0.5)"
    )
    parser.set_defaults(command=choose)


def _add_report(commands: _Commands[argparse.ArgumentParser], prog: str) -> None:
    parser = _command(
        commands,
        "report",
        "show a saved profile",
        "Prints a report that `profile --json` wrote, here or on another machine.",
        f"examples:\n  {prog} report report.json --png report.png\n",
    )
    parser.add_argument("report", metavar="REPORT", help="a JSON report")
    _add_outputs(parser)
    parser.set_defaults(command=report)


def _command(
    commands: _Commands[argparse.ArgumentParser], name: str, help: str, text: str, examples: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=help,
        description=textwrap.fill(text, 80),
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_engine(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--engine",
        default="auto",
        help="auto, onnx or litert (default: auto: the board's, else what `choose` measured)",
    )
    _add_threads(parser)
    parser.add_argument("--precision", help="int8 or fp32 (default: the bundle's)")


def _add_threads(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, help="(default: the board profile's, else 1)")


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 60:
        raise argparse.ArgumentTypeError(f"{text} s, it has to be above 0, at most 60")
    return value


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", help="write the report; - for stdout, no table")
    parser.add_argument("--png", metavar="FILE", help="draw the histograms (needs matplotlib)")


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
