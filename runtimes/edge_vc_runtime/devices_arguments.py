"""The arguments of ``devices``."""

from __future__ import annotations

from edge_vc_runtime.commands import devices
from edge_vc_runtime.verb_parser import Commands, add_verb

_EXAMPLES = """
{prog}
{prog} --backend sounddevice
{prog} --remember-input 'USB Audio' --remember-output plughw:CARD=Device,DEV=0
{prog} --json
"""
_TEXT = (
    "Lists the microphones and loudspeakers that each back end sees, with channels, latency "
    "and the sample rates that work, and the cards of the kernel with the programs that hold them. "
    "Plug a card in first and wait a second. Remembered devices are used if no name is given, "
    "and are found again wherever they are plugged in."
)


def add_devices(commands: Commands, prog: str) -> None:
    """Add the verb ``devices``."""
    parser = add_verb(commands, "devices", _TEXT, _EXAMPLES, prog)
    parser.add_argument(
        "--backend", metavar="NAME", help="query only this one of {backends} (default: all)"
    )
    for direction in ("input", "output"):
        parser.add_argument(
            f"--remember-{direction}", metavar="NAME",
            help=f"remember a device as the default {direction}: its name, a part of it, "
            "or plughw:CARD=...,DEV=0",
        )  # fmt: skip
    parser.add_argument("--forget", action="store_true", help="forget the remembered devices")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.set_defaults(command=devices)
