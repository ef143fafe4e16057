"""The arguments of ``run``."""

from __future__ import annotations

import argparse

from edge_vc_runtime.commands import run
from edge_vc_runtime.verb_parser import Commands, add_engine_options, add_verb

_EXAMPLES = """
{prog} kathleen.evc in.wav out.wav
{prog} kathleen.evc song.flac out.wav --output-rate 44100
arecord -t raw -f S16_LE -r 16000 | {prog} kathleen.evc - - | aplay -t raw -f S16_LE -r 16000
"""
_TEXT = (
    "Converts speech hop by hop, as from a live microphone, in constant memory. Files may have "
    "any sample rate and number of channels. The output is mono, time-aligned with the input "
    "and has the same length; its sample rate is the model's unless --output-rate is given. "
    "'-' is raw S16_LE mono on stdin or stdout."
)


def add_run(commands: Commands, prog: str) -> None:
    """Add the verb ``run``."""
    parser = add_verb(commands, "run", _TEXT, _EXAMPLES, prog)
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    parser.add_argument("input", metavar="IN", help="{sources}")
    parser.add_argument("output", metavar="OUT", help="{sinks}")
    add_engine_options(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    _add_file_options(parser.add_argument_group("recordings"))
    parser.set_defaults(command=run)


def _add_file_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--input-rate", type=int, metavar="HZ",
        help="sample rate of raw audio on stdin in Hz (default: the model's)",
    )  # fmt: skip
    group.add_argument(
        "--output-rate", type=int, metavar="HZ",
        help="sample rate of the output in Hz (default: the model's)",
    )  # fmt: skip
