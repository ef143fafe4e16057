"""What ``edge-vc flash`` does over SSH, from arguments to lines and an exit code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import typer

from edge_vc_boards.flash.app.make_app import make_app
from edge_vc_boards.flash.board_shell import BoardShell
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
from edge_vc_boards.flash.ssh import SshConnection, SshTarget
from edge_vc_runtime.message import one_line, printable

ShellAction = Callable[[BoardShell, InventoryHost], tuple[HostState, str]]


def tell(line: str) -> None:
    """Say what is going on, apart from the results."""
    typer.echo(one_line(line), err=True)


def flash_one(target: SshTarget, request: FlashRequest, *, dry_run: bool) -> None:
    """Flash a board and say what became of it."""
    with SshConnection(target, typer.echo if dry_run else None) as connection:
        result = flash_board(BoardShell(connection, dry_run=dry_run), request, tell)
    if dry_run:
        return
    before = f", before {result.previous}" if result.previous else ""
    what = f"current{before}" if result.changed else "current already, nothing to do"
    typer.echo(f"{target.name}: {result.release} is {what} ({result.seconds:.1f} s)")
    typer.echo(f"{target.name}: {'service ' * (result.service == 'running')}{result.service}")


def change_one(
    target: SshTarget, root: str, *, rollback: bool, uninstall: bool, dry_run: bool
) -> None:
    """List what is installed on a board, or take it back, or remove it."""
    with SshConnection(target, typer.echo if dry_run else None) as connection:
        there = find_installation(BoardShell(connection, dry_run=dry_run), root)
        if uninstall:
            lines = there.remove()
        elif rollback:
            release = there.roll_back("asked for")
            lines = [f"{target.name}: {release} is current"] if release else []
        else:
            lines = there.lines()
    for line in lines:
        typer.echo(printable(line))


def pack_app(request: FlashRequest, out: Path, system: str | None) -> None:
    """Write an executable file and say what it is for."""
    pythons = make_app(request, out, system, tell)
    size = out.stat().st_size / 1e6
    typer.echo(f"{out}: {size:.1f} MB, for Python {' and '.join(pythons)}")


class FleetCommand:
    """One thing done on every board of a fleet, with a table at the end."""

    def __init__(
        self,
        hosts: Sequence[InventoryHost],
        options: tuple[str, ...],
        *,
        parallel: int,
        dry_run: bool,
    ) -> None:
        """Take the boards, options of ``ssh``, and how many are worked on at a time."""
        self.hosts, self.options = hosts, options
        self.parallel, self.dry_run = parallel, dry_run

    def flash(self, request: FlashRequest) -> int:
        """Flash them, the first one as a canary; return the exit code."""
        return self._run(partial(_flash, request))

    def change(self, root: str, *, rollback: bool, uninstall: bool) -> int:
        """Take them back or remove what is there, the first one as a canary; or list them all."""
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
        show = typer.echo if self.dry_run else None

        def one(host: InventoryHost) -> tuple[HostState, str]:
            with SshConnection(host.target(self.options), show) as connection:
                return action(BoardShell(connection, dry_run=self.dry_run), host)

        return one


def _flash(request: FlashRequest, shell: BoardShell, host: InventoryHost) -> tuple[HostState, str]:
    wanted = replace(
        request,
        board=host.board or request.board,
        run_arguments=host.run or request.run_arguments,
    )
    result = flash_board(shell, wanted, tell)
    return "changed" if result.changed else "unchanged", result.release


def _there(root: str, shell: BoardShell) -> BoardInstallation | None:
    try:
        return find_installation(shell, root)
    except NotInstalledError:
        return None


def _list(root: str, shell: BoardShell, _: InventoryHost) -> tuple[HostState, str]:
    there = _there(root, shell)
    return ("installed", there.summary()) if there else ("empty", "nothing is installed")


def _roll_back(root: str, shell: BoardShell, _: InventoryHost) -> tuple[HostState, str]:
    release = find_installation(shell, root).roll_back("asked for")
    return ("changed", release) if release else ("unchanged", "dry run")


def _remove(root: str, shell: BoardShell, _: InventoryHost) -> tuple[HostState, str]:
    there = _there(root, shell)
    if there is None:
        return "empty", "nothing is installed"
    there.remove()
    return ("unchanged", "dry run") if shell.dry_run else ("removed", there.facts.release)
