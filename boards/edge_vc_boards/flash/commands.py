"""What ``edge-vc flash`` does over SSH, from arguments to lines and an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import typer

from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.deploy import flash_board
from edge_vc_boards.flash.fleet import flash_fleet, fleet_code, fleet_table
from edge_vc_boards.flash.installation import find_installation
from edge_vc_boards.flash.inventory import InventoryHost
from edge_vc_boards.flash.request import FlashRequest, FlashResult
from edge_vc_boards.flash.ssh import SshConnection, SshTarget
from edge_vc_runtime.message import one_line, printable


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


def flash_many(
    hosts: Sequence[InventoryHost],
    request: FlashRequest,
    options: tuple[str, ...],
    *,
    parallel: int,
    dry_run: bool,
) -> int:
    """Flash a fleet, show its table and return the exit code."""

    def one(host: InventoryHost) -> FlashResult:
        wanted = replace(
            request,
            board=host.board or request.board,
            run_arguments=host.run or request.run_arguments,
        )
        with SshConnection(host.target(options), typer.echo if dry_run else None) as connection:
            return flash_board(BoardShell(connection, dry_run=dry_run), wanted, tell)

    outcomes = flash_fleet(hosts, one, parallel=parallel)
    for line in fleet_table(outcomes):
        typer.echo(line)
    return fleet_code(outcomes)


def change_installation(
    target: SshTarget, root: str, *, rollback: bool, uninstall: bool, dry_run: bool
) -> None:
    """List what is installed on a board, or take it back, or remove it."""
    with SshConnection(target, typer.echo if dry_run else None) as connection:
        shell = BoardShell(connection, dry_run=dry_run)
        there = find_installation(shell, root)
        if uninstall:
            lines = there.remove()
        elif rollback:
            release = there.roll_back("asked for")
            lines = [f"{shell.name}: {release} is current"] if release else []
        else:
            lines = there.lines()
    for line in lines:
        typer.echo(printable(line))
