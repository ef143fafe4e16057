"""The SSH operations of ``edge-vc flash``, from arguments to output lines and an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from edge_vc_boards.flash.ansible.playbook import write_playbook
from edge_vc_boards.flash.app.make_app import make_app
from edge_vc_boards.flash.audio_setup import AudioSetup, configure_audio
from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.deploy import flash_board
from edge_vc_boards.flash.deploy_plan import ask_facts
from edge_vc_boards.flash.installation import find_installation
from edge_vc_boards.flash.inventory_host import InventoryHost
from edge_vc_boards.flash.request import FlashRequest
from edge_vc_boards.flash.ssh import SshConnection, SshTarget
from edge_vc_runtime.message import one_line, printable, shown_path


def tell(line: str) -> None:
    """Print progress, separately from the results."""
    typer.echo(one_line(line), err=True)


def tell_dry(line: str) -> None:
    """Print what would be done."""
    tell(f"dry run: {line}")


def show_command(line: str) -> None:
    """Print a command of a dry run, escaped: file names may contain any characters."""
    typer.echo("\n".join(map(printable, line.split("\n"))))


def flash_one(target: SshTarget, request: FlashRequest, *, dry_run: bool) -> None:
    """Flash a board, configuring its sound cards first if requested, and print the result."""
    with SshConnection(target, show_command if dry_run else None) as connection:
        shell = BoardShell(connection, dry_run=dry_run)
        configure_first(shell, request)
        result = flash_board(shell, request, tell_dry if dry_run else tell)
    if dry_run and result.changed:
        tell_dry(f"{target.name}: nothing was changed")
        return
    before = f", before {result.previous}" if result.previous else ""
    what = f"current{before}" if result.changed else "current already, nothing to do"
    typer.echo(f"{target.name}: {result.release} is {what} ({result.seconds:.1f} s)")
    typer.echo(f"{target.name}: {'service ' * (result.service == 'running')}{result.service}")


def configure_one(target: SshTarget, audio: AudioSetup, root: str, *, dry_run: bool) -> None:
    """Configure a board's sound cards and print what has changed."""
    with SshConnection(target, show_command if dry_run else None) as connection:
        for line in configure(BoardShell(connection, dry_run=dry_run), audio, root):
            typer.echo(printable(line))


def configure_first(shell: BoardShell, request: FlashRequest) -> None:
    """Configure the sound cards before a flash, if requested."""
    if request.audio is not None:
        for line in configure(shell, request.audio, request.root):
            tell(line)


def configure(shell: BoardShell, audio: AudioSetup, root: str) -> list[str]:
    """Configure a board's sound cards; return the lines to print."""
    return configure_audio(shell, ask_facts(shell, root), audio)


def change_one(
    target: SshTarget, root: str, *, rollback: bool, uninstall: bool, dry_run: bool
) -> None:
    """List, roll back or remove what is installed on a board."""
    with SshConnection(target, show_command if dry_run else None) as connection:
        shell = BoardShell(connection, dry_run=dry_run)
        there = find_installation(shell, root, removing=uninstall)
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
    """Write an executable file and print its size and Python versions."""
    pythons = make_app(request, out, system, tell)
    size = out.stat().st_size / 1e6
    typer.echo(printable(f"{out}: {size:.1f} MB, for Python {' and '.join(pythons)}"))


def make_playbook(
    request: FlashRequest, folder: Path, hosts: Sequence[InventoryHost], system: str | None
) -> None:
    """Write an Ansible playbook and print its file names."""
    for path in write_playbook(request, folder, hosts, system, tell):
        typer.echo(shown_path(path), color=True)
