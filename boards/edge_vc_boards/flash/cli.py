"""``edge-vc flash``: from a bundle to a running board, over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_vc.assets import bundle_names, find_bundle
from edge_vc.command_line.errors import InputError
from edge_vc.command_line.verb import ResumableVerb, notes, verb_app
from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.deploy import flash_board
from edge_vc_boards.flash.fleet import flash_fleet, fleet_code, fleet_table
from edge_vc_boards.flash.installation import find_installation
from edge_vc_boards.flash.inventory import InventoryHost, read_inventory
from edge_vc_boards.flash.request import FlashRequest, FlashResult, check_root
from edge_vc_boards.flash.ssh import SshConnection, SshTarget
from edge_vc_boards.profile_folder import board_names
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.install.layout import DEFAULT_ROOT
from edge_vc_runtime.message import one_line

HELP = """Put a bundle on a board over SSH: checked, installed with a way back, run as a service.

It uses your own OpenSSH (~/.ssh/config, agent, known_hosts; host keys are always checked) and
looks at the board first: processor, 64-bit system, Python, glibc, disk, memory, model, Jetson
Linux. What does not fit is one line with what to do, and nothing is changed. Then it sends wheels
and bundle, so that the board needs no network, makes a virtual environment in /opt/edge-vc,
verifies the bundle's signature there, replays its golden recording, makes it current in one step,
and has systemd run it. If the release or its service fails, what ran before runs again.

Only what is missing is sent: the same bundle again changes nothing, and after a cut connection the
same command goes on where it stopped. --inventory takes many boards: the first one alone, as a
canary, then several at a time; none is begun after one has failed. With --root edge-vc everything
is in your home folder there: no root is needed, and no service is made. Arguments after -- are
those of the service's `run`.
"""
NOTES = notes(
    """
edge-vc flash kathleen.evc --to pi@raspberrypi.local --trust key.pub
edge-vc flash kathleen.evc --to pi@raspberrypi.local -- --input plughw:CARD=Mic,DEV=0
edge-vc flash kathleen.evc --to pi@10.0.0.7 --dry-run
edge-vc flash --to pi@raspberrypi.local --list
edge-vc flash --to pi@raspberrypi.local --rollback
edge-vc flash --to pi@raspberrypi.local --uninstall
edge-vc flash kathleen.evc --inventory boards.toml --group kitchen --parallel 8
    boards.toml has tables like [hosts.left] with to = "pi@10.0.0.7", groups = ["kitchen"]
""",
    "0 it runs, now or already; 1 the release failed there and what ran before runs again; 2 the "
    "board or the bundle is refused, or the connection failed; 130 Ctrl-C",
)

app = verb_app()


@app.command("flash", cls=ResumableVerb, help=HELP, epilog=NOTES)
def flash(
    bundle: Annotated[
        str | None,
        typer.Argument(
            metavar="[BUNDLE]",
            help="A bundle (.evc), or the name of a shipped one.",
            show_default=False,
            autocompletion=lambda: list(bundle_names()),
        ),
    ] = None,
    run_arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGUMENT...]", help="Arguments of `run`.", show_default=False),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="USER@HOST", help="The board.", show_default=False)
    ] = None,
    inventory: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Boards of a fleet (TOML) instead of --to.", show_default=False
        ),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only boards of this group; may be repeated."),
    ] = None,
    parallel: Annotated[
        int, typer.Option(min=1, max=64, help="Boards of a fleet at a time, after the first.")
    ] = 4,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, show_default="ssh's", help="Of its SSH server.")
    ] = None,
    identity: Annotated[
        Path | None, typer.Option(show_default="ssh's", help="Private key to log in with.")
    ] = None,
    ssh_option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="As `ssh -o` takes it; may be repeated."),
    ] = None,
    root: Annotated[
        str, typer.Option(metavar="DIR", help="Folder on the board, or of your home folder there.")
    ] = str(DEFAULT_ROOT),
    board: Annotated[
        str | None,
        typer.Option(
            help="Its profile, of `edge-vc boards`.",
            show_default="found out",
            autocompletion=lambda: list(board_names()),
        ),
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="Engine, e.g. onnx.", show_default="the profile's")
    ] = None,
    wheels: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of `edge-vc wheels`.", show_default="collected, then kept"
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(metavar="KEY.pub", help="The signer's key, for the board's allowed_signers."),
    ] = None,
    allow_unsigned: Annotated[
        bool, typer.Option("--allow-unsigned", help="Take a bundle without a signature as well.")
    ] = False,
    allow_downgrade: Annotated[
        bool, typer.Option("--allow-downgrade", help="Take an older version as well.")
    ] = False,
    no_service: Annotated[
        bool, typer.Option("--no-service", help="Install, but leave systemd alone.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print every command; change nothing."),
    ] = False,
    show_list: Annotated[
        bool, typer.Option("--list", help="List the releases there and what happened.")
    ] = False,
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Make the release before current again.")
    ] = False,
    uninstall: Annotated[
        bool, typer.Option("--uninstall", help="Remove everything but allowed_signers.")
    ] = False,
) -> None:
    """See `HELP`."""
    if (bundle is not None) + show_list + rollback + uninstall != 1:
        raise InputError("give one of BUNDLE, --list, --rollback and --uninstall")
    if (to is None) == (inventory is None) or (inventory is not None and bundle is None):
        raise InputError("give --to USER@HOST, or BUNDLE with --inventory FILE")
    request = None
    check_root(root)
    options = tuple(ssh_option or ())
    if bundle is not None:
        request = FlashRequest(
            bundle=read_bundle(find_bundle(bundle)),
            root=root,
            board=board,
            engine=engine,
            wheels=wheels,
            trust=trust,
            allow_unsigned=allow_unsigned,
            allow_downgrade=allow_downgrade,
            service=not no_service,
            run_arguments=tuple(run_arguments or ()),
        )
    if request is not None and inventory is not None:
        hosts = read_inventory(inventory, tuple(group or ()))
        raise typer.Exit(_fleet(hosts, request, options, parallel=parallel, dry_run=dry_run))
    target = SshTarget(to or "", port, identity, options)
    with SshConnection(target, typer.echo if dry_run else None) as connection:
        shell = BoardShell(connection, dry_run=dry_run)
        if request is not None:
            _flash(shell, request)
        else:
            _installation(shell, root, rollback=rollback, uninstall=uninstall)


def _fleet(
    hosts: Sequence[InventoryHost],
    request: FlashRequest,
    options: tuple[str, ...],
    *,
    parallel: int,
    dry_run: bool,
) -> int:
    def one(host: InventoryHost) -> FlashResult:
        wanted = replace(
            request,
            board=host.board or request.board,
            run_arguments=host.run or request.run_arguments,
        )
        with SshConnection(host.target(options), typer.echo if dry_run else None) as connection:
            return flash_board(BoardShell(connection, dry_run=dry_run), wanted, _tell)

    outcomes = flash_fleet(hosts, one, parallel=parallel)
    for line in fleet_table(outcomes):
        typer.echo(line)
    return fleet_code(outcomes)


def _tell(line: str) -> None:
    typer.echo(one_line(line), err=True)


def _flash(shell: BoardShell, request: FlashRequest) -> None:
    result = flash_board(shell, request, _tell)
    if shell.dry_run:
        return
    before = f", before {result.previous}" if result.previous else ""
    what = f"current{before}" if result.changed else "current already, nothing to do"
    typer.echo(f"{shell.name}: {result.release} is {what} ({result.seconds:.1f} s)")
    typer.echo(f"{shell.name}: {'service ' * (result.service == 'running')}{result.service}")


def _installation(shell: BoardShell, root: str, **wanted: Any) -> None:
    there = find_installation(shell, root)
    if wanted["uninstall"]:
        lines = there.remove()
    elif wanted["rollback"]:
        release = there.roll_back("asked for")
        lines = [f"{shell.name}: {release} is current"] if release else []
    else:
        lines = there.lines()
    for line in lines:
        typer.echo("".join(letter if letter.isprintable() else "?" for letter in line))
