"""The operations of ``edge-vc flash --inventory``, from arguments to a table and an exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import typer

from edge_vc_boards.flash.audio_setup import AudioSetup
from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.commands import configure, configure_first, show_command, tell, tell_dry
from edge_vc_boards.flash.deploy import flash_board
from edge_vc_boards.flash.error import NotInstalledError
from edge_vc_boards.flash.fleet import (
    HostAction,
    HostState,
    fleet_code,
    fleet_table,
    run_fleet,
)
from edge_vc_boards.flash.installation import BoardInstallation, find_installation
from edge_vc_boards.flash.inventory_host import InventoryHost
from edge_vc_boards.flash.request import FlashRequest
from edge_vc_boards.flash.ssh import SshConnection

ShellAction = Callable[[BoardShell, InventoryHost], tuple[HostState, str]]


class FleetCommand:
    """One action performed on every board of a fleet, with a table at the end."""

    def __init__(
        self,
        hosts: Sequence[InventoryHost],
        options: tuple[str, ...],
        *,
        parallel: int,
        dry_run: bool,
    ) -> None:
        """Set the boards, the options of ``ssh``, and how many boards to process at a time."""
        self.hosts, self.options = hosts, options
        self.parallel, self.dry_run = parallel, dry_run

    def flash(self, request: FlashRequest) -> int:
        """Flash the boards, the first one as a canary; return the exit code."""
        return self._run(partial(_flash, request))

    def configure(self, audio: AudioSetup, root: str) -> int:
        """Configure their sound cards, the first board as a canary; return the exit code."""
        return self._run(partial(_set_up, audio, root))

    def change(self, root: str, *, rollback: bool, uninstall: bool) -> int:
        """Roll back or uninstall, the first board as a canary, or list all; return the code."""
        action = _remove if uninstall else _roll_back if rollback else _list
        return self._run(partial(action, root), canary=rollback or uninstall)

    def _run(self, action: ShellAction, *, canary: bool = True) -> int:
        outcomes = run_fleet(
            self.hosts, self._connected(action), parallel=self.parallel, canary=canary
        )
        for line in fleet_table(outcomes):
            typer.echo(line)
        return fleet_code(outcomes)

    def _connected(self, action: ShellAction) -> HostAction:
        show = show_command if self.dry_run else None

        def one(host: InventoryHost) -> tuple[HostState, str]:
            with SshConnection(host.target(self.options), show) as connection:
                return action(BoardShell(connection, dry_run=self.dry_run), host)

        return one


def _flash(request: FlashRequest, shell: BoardShell, host: InventoryHost) -> tuple[HostState, str]:
    configure_first(shell, request)
    wanted = replace(
        request,
        board=host.board or request.board,
        run_arguments=host.run or request.run_arguments,
    )
    result = flash_board(shell, wanted, tell_dry if shell.dry_run else tell)
    if shell.dry_run and result.changed:
        return "unchanged", f"dry run of {result.release}"
    return "changed" if result.changed else "unchanged", result.release


def _set_up(
    audio: AudioSetup, root: str, shell: BoardShell, _: InventoryHost
) -> tuple[HostState, str]:
    lines = configure(shell, audio, root)
    changed = any(line.endswith(": changed") for line in lines)
    detail = lines[-1].removeprefix(f"{shell.name}: ") if lines else "dry run"
    return ("changed" if changed else "unchanged"), detail


def _there(root: str, shell: BoardShell, *, removing: bool = False) -> BoardInstallation | None:
    try:
        return find_installation(shell, root, removing=removing)
    except NotInstalledError:
        return None


def _list(root: str, shell: BoardShell, _: InventoryHost) -> tuple[HostState, str]:
    there = _there(root, shell)
    return ("installed", there.summary()) if there else ("empty", "nothing is installed")


def _roll_back(root: str, shell: BoardShell, _: InventoryHost) -> tuple[HostState, str]:
    release = find_installation(shell, root).roll_back("asked for")
    return ("changed", release) if release else ("unchanged", "dry run")


def _remove(root: str, shell: BoardShell, _: InventoryHost) -> tuple[HostState, str]:
    there = _there(root, shell, removing=True)
    if there is None:
        return "empty", "nothing is installed"
    there.remove()
    return (
        ("unchanged", "dry run")
        if shell.dry_run
        else ("removed", there.facts.release or "the setup of sound cards")
    )
