"""The arguments of the verbs that inspect a bundle or a report."""

from __future__ import annotations

import argparse

from edge_vc_runtime.commands import choose, inspect, profile, report, verify
from edge_vc_runtime.files.output_kinds import JSON_REPORT, PNG_PICTURE
from edge_vc_runtime.option_types import number_within
from edge_vc_runtime.profiling.report import ENVIRONMENTS
from edge_vc_runtime.verb_parser import (
    Commands,
    add_engine_options,
    add_threads_option,
    add_tier_option,
    add_verb,
)

_PROFILE_EXAMPLES = """
{prog} kathleen.evc
{prog} kathleen.evc --mode paced --seconds 1800 --json report.json --png report.png
{prog} kathleen.evc --precision fp32 --threads 2 --fail-on-miss
"""
_INSPECT_EXAMPLES = """
{prog} kathleen.evc
{prog} kathleen.evc --check
{prog} kathleen.evc --json
"""
_VERIFY_EXAMPLES = """
{prog} kathleen.evc --allowed-signers allowed_signers
{prog} kathleen.evc --allowed-signers allowed_signers --revoked revoked_keys
{prog} kathleen.evc
"""
_CHOOSE_EXAMPLES = """
{prog} kathleen.evc
{prog} kathleen.evc --threads 2 --seconds 2
"""
_REPORT_EXAMPLES = """
{prog} report.json
{prog} report.json --png report.png
"""


def add_bundle_verbs(commands: Commands, prog: str) -> None:
    """Add ``profile``, ``inspect``, ``verify``, ``choose`` and ``report``."""
    _add_profile(commands, prog)
    _add_inspect(commands, prog)
    _add_verify(commands, prog)
    _add_choose(commands, prog)
    _add_report(commands, prog)


def _add_profile(commands: Commands, prog: str) -> None:
    parser = add_verb(
        commands,
        "profile",
        "Measures the time per hop back to back (tight) and once per hop duration (paced, as from "
        "a live source), the first hop of a new process, its memory, and the time by kind of node.",
        _PROFILE_EXAMPLES,
        prog,
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    add_engine_options(parser)
    parser.add_argument(
        "--mode", choices=("tight", "paced", "both"), default="both",
        help="how hops follow each other (default: both)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=float, default=10.0, metavar="S",
        help="audio per mode in s (default: 10); 1800 is half an hour under load",
    )  # fmt: skip
    parser.add_argument(
        "--warmup", type=int, default=100, metavar="HOPS",
        help="hops before timing starts (default: 100)",
    )  # fmt: skip
    parser.add_argument(
        "--environment", choices=ENVIRONMENTS,
        help="what the report states as its environment (default: detected)",
    )  # fmt: skip
    parser.add_argument(
        "--no-cold-start", action="store_true",
        help="skip the first-hop measurement, which starts a second process",
    )  # fmt: skip
    parser.add_argument("--no-ops", action="store_true", help="skip the time by kind of node")
    parser.add_argument(
        "--fail-on-miss", action="store_true", help="exit with 3 on a missed deadline"
    )
    _add_outputs(parser)
    parser.set_defaults(command=profile)


def _add_inspect(commands: Commands, prog: str) -> None:
    parser = add_verb(
        commands,
        "inspect",
        "Checks every byte of a bundle against its manifest and prints a summary of the manifest.",
        _INSPECT_EXAMPLES,
        prog,
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    parser.add_argument("--json", action="store_true", help="print the manifest itself")
    parser.add_argument(
        "--check",
        action="store_true",
        help="replay the golden recording and compare; exit 1 if off",
    )
    parser.set_defaults(command=inspect)


def _add_verify(commands: Commands, prog: str) -> None:
    parser = add_verb(
        commands,
        "verify",
        "Checks every byte of a bundle against its manifest and the manifest's signature with "
        "ssh-keygen: who signed, and whether the list of signers allows it now.",
        _VERIFY_EXAMPLES,
        prog,
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    parser.add_argument(
        "--allowed-signers", metavar="FILE",
        help="OpenSSH's list of signers (default: this machine's, /etc/edge-vc/allowed_signers, "
        "then $XDG_CONFIG_HOME/edge-vc/allowed_signers)",
    )  # fmt: skip
    parser.add_argument(
        "--revoked", metavar="FILE", help="revoked public keys, one per line, or a KRL"
    )
    parser.set_defaults(command=verify)


def _add_choose(commands: Commands, prog: str) -> None:
    parser = add_verb(
        commands,
        "choose",
        "Times every engine and precision that can run the bundle on this machine, interleaved, "
        "and saves the result under $XDG_STATE_HOME/edge-vc. From then on --engine auto selects "
        "the fastest, unless the board has a profile that names an engine. A precision other than "
        "the bundle's own is only selected if it is faster by a tenth. If a bundle has several "
        "tiers, each is measured, unless one is given.",
        _CHOOSE_EXAMPLES,
        prog,
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    add_threads_option(parser)
    add_tier_option(parser)
    parser.add_argument(
        "--seconds", type=number_within(0.001, 60, "s"), default=0.5, metavar="S",
        help="measuring time per engine and precision in s, at most 60 (default: 0.5)",
    )  # fmt: skip
    parser.set_defaults(command=choose)


def _add_report(commands: Commands, prog: str) -> None:
    parser = add_verb(
        commands,
        "report",
        "Prints a report of `profile --json` or `run --report`, made here or on another machine.",
        _REPORT_EXAMPLES,
        prog,
    )
    parser.add_argument("report", metavar="REPORT", help="a JSON report")
    _add_outputs(parser)
    parser.set_defaults(command=report)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", metavar="FILE", type=JSON_REPORT,
        help="write the report; - for stdout, no table",
    )  # fmt: skip
    parser.add_argument(
        "--png", metavar="FILE", type=PNG_PICTURE, help="draw the histograms (needs matplotlib)"
    )
