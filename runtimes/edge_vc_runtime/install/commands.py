"""The installation commands, from parsed arguments to an exit code."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from edge_vc_runtime.install.checks import first_hop, health_command
from edge_vc_runtime.install.error import InstallCheckError, InstallError
from edge_vc_runtime.install.installer import InstallOptions, install_bundle
from edge_vc_runtime.install.layout import InstallRoot
from edge_vc_runtime.install.state import read_state
from edge_vc_runtime.install.switching import InstallResult, check_installed, roll_back, uninstall
from edge_vc_runtime.message import one_line


def install(arguments: argparse.Namespace) -> int:
    """``install BUNDLE``: 0 installed or already current, 1 rolled back."""
    options = InstallOptions(
        allow_downgrade=arguments.allow_downgrade,
        board=arguments.board,
        keep=arguments.keep,
        health=health_command(arguments.health) if arguments.health else first_hop,
    )
    root = install_root(arguments)
    try:
        result = install_bundle(Path(arguments.bundle), root, options)
    except InstallCheckError as error:
        return _failed(error, arguments)
    _tell(result, root, arguments)
    return 0


def rollback(arguments: argparse.Namespace) -> int:
    """``rollback``: return to the previous release."""
    root = install_root(arguments)
    try:
        result = roll_back(root, arguments.reason, first_hop)
    except InstallCheckError as error:
        return _failed(error, arguments)
    _tell(result, root, arguments)
    return 0


def installed(arguments: argparse.Namespace) -> int:
    """``installed``: list the releases and events."""
    root = install_root(arguments)
    check_installed(root)
    state, current = read_state(root.state), root.current_release()
    if arguments.json:
        facts = {"current": current, "releases": root.kept_releases(), **asdict(state)}
        print(json.dumps(facts, indent=1))
    else:
        for release in root.kept_releases():
            note = "  not confirmed by a health check" if release == state.pending else ""
            print(f"{'*' if release == current else ' '} {release}{note}")
        for event in state.events[-arguments.events :] if arguments.events else ():
            words = (event.time, event.action, event.release, event.reason)
            print(one_line("  ".join(filter(None, words))))
    return 0


def remove(arguments: argparse.Namespace) -> int:
    """``uninstall``: remove every release."""
    root = install_root(arguments)
    releases = uninstall(root)
    print(one_line(f"{root.path}: removed {', '.join(releases) or 'an empty installation'}"))
    return 0


def install_root(arguments: argparse.Namespace) -> InstallRoot:
    """Return the folder given by ``--root``; raises `InstallError` for the root of a disk."""
    path = Path(arguments.root)
    if not path.is_absolute():
        path = Path.cwd() / path
    if path == Path(path.anchor):
        raise InstallError(f"{path}: is not a folder for an installation")
    return InstallRoot(path)


def _tell(result: InstallResult, root: InstallRoot, arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps({"ok": True, **asdict(result)}))
        return
    before = f", before {result.previous}" if result.previous else ""
    what = f"current{before}" if result.changed else "current already, nothing to do"
    print(one_line(f"{root.path}: {result.release} is {what}"))


def _failed(error: InstallCheckError, arguments: argparse.Namespace) -> int:
    print(f"{arguments.parser.prog}: {one_line(error)}", file=sys.stderr)
    if arguments.json:
        print(json.dumps({"ok": False, "reason": one_line(error)}))
    return 1
