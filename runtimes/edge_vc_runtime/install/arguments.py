"""The arguments of ``install``, ``installed``, ``rollback`` and ``uninstall``."""

from __future__ import annotations

import argparse

from edge_vc_runtime.install.commands import install, installed, remove, rollback
from edge_vc_runtime.install.layout import DEFAULT_ROOT
from edge_vc_runtime.install.switching import KEPT
from edge_vc_runtime.option_types import whole_within
from edge_vc_runtime.verb_parser import Commands, add_verb

_INSTALL_EXAMPLES = """
{prog} kathleen.evc
{prog} kathleen.evc --root ~/edge-vc --json
{prog} kathleen.evc --health "systemctl restart --wait edge-vc"
"""
_INSTALLED_EXAMPLES = """
{prog}
{prog} --json
"""
_ROLLBACK_EXAMPLES = """
{prog}
{prog} --reason "too quiet"
"""
_UNINSTALL_EXAMPLES = """
{prog}
{prog} --root ~/edge-vc
"""


def add_installation(commands: Commands, prog: str) -> None:
    """Add the verbs of the installation."""
    _add_install(commands, prog)
    _add_installed(commands, prog)
    _add_rollback(commands, prog)
    _add_uninstall(commands, prog)


def _add_install(commands: Commands, prog: str) -> None:
    parser = add_verb(
        commands,
        "install",
        "Verifies a bundle (signature, every byte, boards, version, free space), copies it beside "
        "the releases that are there, replays its golden recording, makes it current in one step "
        "and converts one hop. If that fails, the previous release is restored. If it is killed at "
        "any point, either the old or the new release is current and complete.",
        _INSTALL_EXAMPLES,
        prog,
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="the bundle (.evc)")
    add_root(parser)
    parser.add_argument(
        "--allow-downgrade", action="store_true", help="install an older version as well"
    )
    parser.add_argument("--board", metavar="NAME", help="this board (default: detected)")
    parser.add_argument(
        "--keep", type=whole_within(1, 100), default=KEPT, metavar="N",
        help=f"releases to keep, 1 to 100 (default: {KEPT})",
    )  # fmt: skip
    parser.add_argument(
        "--health", metavar="COMMAND",
        help="command that exits with 0 if the new release works (default: convert one hop)",
    )  # fmt: skip
    _add_json(parser)
    parser.set_defaults(command=install)


def _add_installed(commands: Commands, prog: str) -> None:
    text = "Lists the releases, the current one with a star, and what happened last."
    parser = add_verb(commands, "installed", text, _INSTALLED_EXAMPLES, prog)
    add_root(parser)
    parser.add_argument(
        "--events", type=int, default=5, metavar="N", help="events to show (default: 5)"
    )
    _add_json(parser)
    parser.set_defaults(command=installed)


def _add_rollback(commands: Commands, prog: str) -> None:
    text = "Makes the previous release current again, atomically."
    parser = add_verb(commands, "rollback", text, _ROLLBACK_EXAMPLES, prog)
    add_root(parser)
    parser.add_argument(
        "--reason", default="asked for", metavar="TEXT", help="kept with it (default: asked for)"
    )
    _add_json(parser)
    parser.set_defaults(command=rollback)


def _add_uninstall(commands: Commands, prog: str) -> None:
    text = "Removes all releases and their record; other files in the folder are kept."
    parser = add_verb(commands, "uninstall", text, _UNINSTALL_EXAMPLES, prog)
    add_root(parser)
    parser.set_defaults(command=remove)


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add ``--root``, the folder of the installation."""
    parser.add_argument(
        "--root", default=str(DEFAULT_ROOT), metavar="DIR",
        help=f"folder of the installation (default: {DEFAULT_ROOT})",
    )  # fmt: skip


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
