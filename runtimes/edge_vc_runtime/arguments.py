"""The parser of the board command, assembled from the verbs of each subpackage.

Only the modules of the verb in use are loaded, so that a live run does not wait for those of
installation and measurement.
"""

from __future__ import annotations

import argparse
from importlib import import_module

from edge_vc_runtime.verb_parser import Commands, VerbParser
from edge_vc_runtime.verbs import VERBS
from edge_vc_runtime.version import __version__

_HOMES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("run_arguments", "add_run", ("run",)),
    (
        "bundle_arguments",
        "add_bundle_verbs",
        ("profile", "inspect", "verify", "choose", "report"),
    ),
    ("validation.arguments", "add_validate", ("validate",)),
    ("devices_arguments", "add_devices", ("devices",)),
    (
        "install.arguments",
        "add_installation",
        ("install", "installed", "rollback", "uninstall"),
    ),
    ("unit_verb", "add_unit", ("unit",)),
    ("control.arguments", "add_control", ("control",)),
    ("latency.arguments", "add_measure_latency", ("measure-latency",)),
)
"""Module, the function that adds its verbs, and the names of these."""


def build_parser(prog: str = "edge-vc-rt", verb: str | None = None) -> argparse.ArgumentParser:
    """Return the parser; ``prog`` is the program's name, ``verb`` the only verb to load.

    Without a ``verb``, or with an unknown one, all verbs are loaded.
    """
    parser = VerbParser(
        prog=prog,
        description="Runs and measures voice-conversion bundles (.evc) on this machine.",
        epilog=f"Every command has its own help: {prog} run --help",
    )
    parser.add_argument("--version", action="version", version=f"edge-vc-runtime {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module, function, names in _HOMES:
        if verb in names or verb not in VERBS:
            _add(module, function, commands, prog)
    return parser


def verb_parser(name: str, prog: str = "edge-vc-rt") -> VerbParser:
    """Return the parser of one verb."""
    commands = VerbParser(prog).add_subparsers(required=True, metavar="COMMAND")
    for module, function, names in _HOMES:
        if name in names:
            _add(module, function, commands, prog)
    verbs: dict[str, VerbParser] = commands.choices
    return verbs[name]


def _add(module: str, function: str, commands: Commands, prog: str) -> None:
    getattr(import_module(f"edge_vc_runtime.{module}"), function)(commands, prog)
