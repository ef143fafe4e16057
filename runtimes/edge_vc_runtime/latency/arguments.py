"""The arguments of ``measure-latency``."""

from __future__ import annotations

from edge_vc_runtime.latency.commands import measure_latency
from edge_vc_runtime.latency.options import add_latency_options
from edge_vc_runtime.verb_parser import Commands, add_verb

_EXAMPLES = """
{prog}
{prog} --input 'USB Audio' --output 'USB Audio' --repeats 20
{prog} --through --own-ms 24.5
"""
_TEXT = (
    "Plays a chirp on the output device, detects it in the input device's recording and prints the "
    "real round trip in ms: both buffers, both converters and anything in between. Connect output "
    "and input with a cable, or hold the microphone to the loudspeaker. Prints no number if the "
    "chirp is not found. With --through it measures a conversion from microphone to ear: it plays "
    "speech-like syllables into another program, whose output goes to this one's input, by cables "
    "or virtual devices."
)


def add_measure_latency(commands: Commands, prog: str) -> None:
    """Add the verb ``measure-latency``."""
    parser = add_verb(commands, "measure-latency", _TEXT, _EXAMPLES, prog)
    add_latency_options(parser)
    parser.set_defaults(command=measure_latency)
