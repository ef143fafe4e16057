"""The arguments of ``run``: a live voice without IN and OUT, a recording with them."""

from __future__ import annotations

import argparse

from edge_vc_runtime.audio.sinks import SINK
from edge_vc_runtime.chain.input_options import add_input_options
from edge_vc_runtime.chain.options import add_chain_options
from edge_vc_runtime.control.options import add_control_options
from edge_vc_runtime.errors import UsageError
from edge_vc_runtime.governor.governor_options import add_governor_options
from edge_vc_runtime.live.options import add_live_options
from edge_vc_runtime.monitor.display_options import add_display_options
from edge_vc_runtime.taps.options import add_tap_options
from edge_vc_runtime.verb_parser import Commands, add_engine_options, add_verb

_EXAMPLES = """
{prog} kathleen.evc
{prog} kathleen.evc --input USB --output Headphones --record converted.wav
{prog} kathleen.evc --virtual-mic kathleen --report live.json
{prog} kathleen.evc --metrics 9464 --tap words=said.srt --tap mood
{prog} kathleen.evc --pitch -2 --noise-reduction --backing song.flac
{prog} kathleen.evc in.wav out.wav
{prog} kathleen.evc in.wav out.wav --gate --level-follow --speed 1.2
{prog} kathleen-flemish.evc in.wav out.wav --voice flemish --set pitch=-2
{prog} kathleen.evc song.flac out.wav --output-rate 44100
arecord -f S16_LE -r 48000 | {prog} kathleen.evc - - | aplay -t raw -f S16_LE -r 16000
"""
LIVE_ONLY = "(live)"
"""Suffix of the titles of option groups that do not apply to recordings."""
_TEXT = (
    "Without IN and OUT it converts a live voice, from a microphone to a loudspeaker, until "
    "Ctrl-C. With them it converts a recording hop by hop, as from a live microphone, in constant "
    "memory. Files may have any sample rate and number of channels. The output is mono, "
    "time-aligned with "
    "the input and has the same length; its sample rate is the model's unless --output-rate is "
    "given. '-' is stdin (a WAV file, else raw S16_LE mono) or stdout (raw S16_LE mono)."
)


def add_run(commands: Commands, prog: str) -> None:
    """Add the verb ``run``."""
    parser = add_verb(commands, "run", _TEXT, _EXAMPLES, prog)
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    parser.add_argument("input", metavar="IN", nargs="?", help="{sources}; none: a microphone")
    parser.add_argument(
        "output", metavar="OUT", nargs="?", type=SINK, help="{sinks}; none: a loudspeaker"
    )
    parser.optional_positionals = ("input", "output")
    add_engine_options(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    _add_file_options(parser.add_argument_group("recordings"))
    add_live_options(parser)
    add_governor_options(parser)
    add_display_options(parser)
    add_tap_options(parser)
    add_input_options(parser)
    add_chain_options(parser)
    add_control_options(parser)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """``run BUNDLE`` is live, ``run BUNDLE IN OUT`` converts a recording."""
    if arguments.input is None:
        from edge_vc_runtime.live_run import run_live

        return run_live(arguments)
    if arguments.output is None:
        raise UsageError("OUT is missing: give IN and OUT, or neither for a live voice")
    _refuse_live_options(arguments)
    from edge_vc_runtime.commands import run as run_file

    return run_file(arguments)


def _refuse_live_options(arguments: argparse.Namespace) -> None:
    """Reject an option of a live run that would have no effect for a recording."""
    for group in arguments.parser._action_groups:
        for action in group._group_actions if str(group.title).endswith(LIVE_ONLY) else ():
            if getattr(arguments, action.dest) != action.default:
                flag = action.option_strings[0]
                raise UsageError(f"{flag} is for a live voice; leave it, or IN and OUT, out")


def _add_file_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--raw", action="store_true",
        help="treat stdin as raw S16_LE mono even if it begins like a WAV file",
    )  # fmt: skip
    group.add_argument(
        "--input-rate", type=int, metavar="HZ",
        help="sample rate of raw audio on stdin in Hz (default: the model's); live: of the "
        "microphone (default: the card's own)",
    )  # fmt: skip
    group.add_argument(
        "--output-rate", type=int, metavar="HZ",
        help="sample rate of the output in Hz (default: the model's; live: the card's own)",
    )  # fmt: skip
