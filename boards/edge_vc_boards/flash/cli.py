"""``edge-vc flash``: from a bundle to a running board, over SSH."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from edge_vc.assets import bundle_names, find_bundle
from edge_vc.command_line.errors import InputError
from edge_vc.command_line.verb import ResumableVerb, notes, verb_app
from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.deploy import flash_board
from edge_vc_boards.flash.fleet import flash_fleet, fleet_code, fleet_table
from edge_vc_boards.flash.image.card_flash import CardPlan, flash_card, flash_layer
from edge_vc_boards.flash.image.card_options import CardOptions
from edge_vc_boards.flash.installation import find_installation
from edge_vc_boards.flash.inventory import InventoryHost, read_inventory
from edge_vc_boards.flash.request import FlashRequest, FlashResult, check_root
from edge_vc_boards.flash.ssh import SshConnection, SshTarget
from edge_vc_boards.profile_folder import board_names
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.install.layout import DEFAULT_ROOT
from edge_vc_runtime.message import one_line, printable

HELP = """Put a bundle on a board, over SSH or on a card; it then runs as a service.

With --to it uses your own OpenSSH (~/.ssh/config, agent, known_hosts; host keys always checked) and
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

With --image it makes a card for a Raspberry Pi of a stock 64-bit Raspberry Pi OS (.img or .img.xz):
user, SSH key, Wi-Fi, wheels and bundle go onto the boot partition of a copy, in the way that the
image's first boot reads them. It is told by what the image holds; an unknown one is refused. The
first boot installs without a network and leaves edge-vc-first-boot.log on that partition. The
password is asked for, or read from --password-file or EDGE_VC_CARD_PASSWORD, the passphrase
from --wifi-file or EDGE_VC_WIFI_PASSPHRASE; only their hashes are written. It needs mtools,
e2fsprogs and openssl. With --layer it writes a layer for rpi-image-gen.
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
edge-vc flash kathleen.evc --image pi-os.img.xz --out card.img --trust key.pub
    --user ann --ssh-key ~/.ssh/id_ed25519.pub --wifi Home --wifi-country GB
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
    image: Annotated[
        Path | None, typer.Option(metavar="IMG", help="A stock image to make a card of.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="IMG", help="The card's image; needed with --image.")
    ] = None,
    user: Annotated[str | None, typer.Option(metavar="NAME", help="The card's account.")] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Its password, or the hash, in one line."),
    ] = None,
    ssh_key: Annotated[
        list[Path] | None,
        typer.Option(metavar="KEY.pub", help="Who may log in there; may be repeated."),
    ] = None,
    hostname: Annotated[
        str | None, typer.Option(metavar="NAME", help="The card's name in the network.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="E.g. Europe/London.")
    ] = None,
    locale: Annotated[str | None, typer.Option(metavar="LL_CC", help="E.g. en_GB.UTF-8.")] = None,
    keyboard: Annotated[str | None, typer.Option(metavar="LAYOUT", help="E.g. gb.")] = None,
    wifi: Annotated[
        str | None, typer.Option(metavar="NAME", help="Wi-Fi to join: WPA2, or open.")
    ] = None,
    wifi_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Its passphrase in one line; empty for an open one."),
    ] = None,
    wifi_country: Annotated[
        str | None, typer.Option(metavar="CC", help="Where the radio sends, e.g. GB.")
    ] = None,
    wifi_hidden: Annotated[
        bool, typer.Option("--wifi-hidden", help="It does not announce its name.")
    ] = False,
    instance: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Tells cards with the same content apart."),
    ] = None,
    init_format: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="systemd, cloudinit-rpi or rpi-preseed, for an image with the signs of two.",
        ),
    ] = None,
    device: Annotated[
        Path | None,
        typer.Option(
            metavar="/dev/X",
            help="Write the card there as well: removable, unmounted, confirmed by its name.",
        ),
    ] = None,
    layer: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a layer for rpi-image-gen.")
    ] = None,
    system: Annotated[
        str | None, typer.Option(help="Of --layer, e.g. trixie.", show_default="the board's first")
    ] = None,
) -> None:
    """See `HELP`."""
    card = CardOptions(
        user, password_file, tuple(ssh_key or ()), hostname, timezone, locale, keyboard,
        wifi, wifi_file, wifi_country, wifi_hidden, instance,
    )  # fmt: skip
    if sum(place is not None for place in (to, inventory, image, layer)) != 1:
        raise InputError(
            "give one of --to USER@HOST, --inventory FILE, --image IMG and --layer DIR"
        )
    if image is None and (card != CardOptions() or out or device or init_format):
        raise InputError("--image IMG is needed with the options of a card")
    if (bundle is not None) + show_list + rollback + uninstall != 1:
        raise InputError("give one of BUNDLE, --list, --rollback and --uninstall")
    if to is None and bundle is None:
        raise InputError("--to USER@HOST is needed with --list, --rollback and --uninstall")
    if dry_run and (image or layer):
        raise InputError("--dry-run is for boards over SSH")
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
    if request is not None and image is not None:
        _card(request, image, out, card, init_format, device)
        return
    if request is not None and layer is not None:
        for path in flash_layer(request, layer, system, _tell):
            typer.echo(str(path))
        return
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


def _card(
    request: FlashRequest,
    image: Path,
    out: Path | None,
    options: CardOptions,
    init_format: str | None,
    device: Path | None,
) -> None:
    if out is None:
        raise InputError("--out IMG is needed with --image: the stock image is never changed")
    settings = options.settings(partial(typer.prompt, hide_input=True, err=True))
    plan = CardPlan(request, image, out, settings, init_format, device)
    card = flash_card(plan, _tell, partial(typer.prompt, default="", show_default=False, err=True))
    typer.echo(f"{card.path}: {card.size / 1e6:.1f} MB, read back, customised with {card.format}")
    typer.echo(f"{card.path}: sha256 {card.sha256}")
    typer.echo(f"{card.manifest}: for Raspberry Pi Imager 2")


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
        typer.echo(printable(line))
