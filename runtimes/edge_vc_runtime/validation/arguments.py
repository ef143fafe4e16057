"""The arguments of ``validate``."""

from __future__ import annotations

from edge_vc_runtime.files.output_kinds import JSON_REPORT
from edge_vc_runtime.option_types import whole_within
from edge_vc_runtime.validation.commands import validate
from edge_vc_runtime.verb_parser import Commands, add_verb

_EXAMPLES = """
{prog} kathleen.evc
{prog} kathleen.evc --engine litert --json validation.json
"""


def add_validate(commands: Commands, prog: str) -> None:
    """Add the verb."""
    parser = add_verb(
        commands,
        "validate",
        "Replays the golden recording of a bundle with every engine, precision and tier that this "
        "machine can run, compares the output with the exporter's, and measures level, peak, "
        "clipping, noise floor and spectral distance.",
        _EXAMPLES,
        prog,
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    parser.add_argument(
        "--engine", default="auto", help="one engine, e.g. onnx (default: every one that is there)"
    )
    parser.add_argument(
        "--threads", type=whole_within(1, 64), default=1, metavar="N",
        help="threads of the engine, 1 to 64 (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--json", metavar="FILE", type=JSON_REPORT,
        help="write the result; - for stdout, no table",
    )  # fmt: skip
    parser.set_defaults(command=validate)
