"""``edge-vc flash``: from a bundle to a running board, over SSH or on a card."""

from __future__ import annotations

from pathlib import Path

import typer

from edge_vc.assets import find_bundle
from edge_vc.command_line.errors import InputError
from edge_vc.command_line.verb import ResumableVerb, verb_app
from edge_vc_boards.flash import flags
from edge_vc_boards.flash.audio_setup import read_audio_setup
from edge_vc_boards.flash.commands import (
    change_one,
    configure_one,
    flash_one,
    make_playbook,
    pack_app,
    tell,
)
from edge_vc_boards.flash.fleet_commands import FleetCommand
from edge_vc_boards.flash.image import card_flags
from edge_vc_boards.flash.image.card_options import CardOptions
from edge_vc_boards.flash.image.commands import make_card, make_layer
from edge_vc_boards.flash.inventory import read_inventory
from edge_vc_boards.flash.option_places import check_options
from edge_vc_boards.flash.request import FlashRequest, check_root
from edge_vc_boards.flash.ssh import SshTarget
from edge_vc_boards.flash.usage import HELP, NOTES
from edge_vc_runtime.bundle.reader import Bundle, read_bundle
from edge_vc_runtime.install.layout import DEFAULT_ROOT
from edge_vc_runtime.service_arguments import check_run_arguments
from edge_vc_runtime.vetting.bundle_check import check_bundle

app = verb_app()


@app.command("flash", cls=ResumableVerb, help=HELP, epilog=NOTES)
def flash(
    context: typer.Context,
    bundle: flags.BundleArgument = None,
    run_arguments: flags.RunArgumentsArgument = None,
    to: flags.ToOption = None,
    inventory: flags.InventoryOption = None,
    group: flags.GroupOption = None,
    parallel: flags.ParallelOption = 4,
    port: flags.PortOption = None,
    identity: flags.IdentityOption = None,
    ssh_option: flags.SshOptionOption = None,
    root: flags.RootOption = str(DEFAULT_ROOT),
    board: flags.BoardOption = None,
    engine: flags.EngineOption = None,
    wheels: flags.WheelsOption = None,
    trust: flags.TrustOption = None,
    allow_unsigned: flags.AllowUnsignedOption = False,
    allow_downgrade: flags.AllowDowngradeOption = False,
    no_service: flags.NoServiceOption = False,
    dry_run: flags.DryRunOption = False,
    show_list: flags.ShowListOption = False,
    rollback: flags.RollbackOption = False,
    uninstall: flags.UninstallOption = False,
    configure_audio: flags.ConfigureAudioOption = None,
    image: card_flags.ImageOption = None,
    out: card_flags.OutOption = None,
    user: card_flags.UserOption = None,
    password_file: card_flags.PasswordFileOption = None,
    ssh_key: card_flags.SshKeyOption = None,
    hostname: card_flags.HostnameOption = None,
    timezone: card_flags.TimezoneOption = None,
    locale: card_flags.LocaleOption = None,
    keyboard: card_flags.KeyboardOption = None,
    wifi: card_flags.WifiOption = None,
    wifi_file: card_flags.WifiFileOption = None,
    wifi_country: card_flags.WifiCountryOption = None,
    wifi_hidden: card_flags.WifiHiddenOption = False,
    instance: card_flags.InstanceOption = None,
    init_format: card_flags.InitFormatOption = None,
    device: card_flags.DeviceOption = None,
    layer: card_flags.LayerOption = None,
    bundle_app: flags.BundleAppOption = None,
    ansible: flags.AnsibleOption = None,
    system: card_flags.SystemOption = None,
) -> None:
    """See `HELP`."""
    card = CardOptions(
        user, password_file, tuple(ssh_key or ()), hostname, timezone, locale, keyboard,
        wifi, wifi_file, wifi_country, wifi_hidden, instance,
    )  # fmt: skip
    fleet_file = None if ansible else inventory
    places = {
        "to": to, "inventory": fleet_file, "image": image, "layer": layer,
        "bundle_app": bundle_app, "ansible": ansible,
    }  # fmt: skip
    chosen = [name for name, place in places.items() if place is not None]
    if len(chosen) != 1:
        raise InputError(
            "give one of --to USER@HOST, --inventory FILE, --image IMG, --layer DIR, "
            "--bundle-app OUT and --ansible DIR, which takes an --inventory as well"
        )
    check_options(chosen[0], _given(context))
    audio = read_audio_setup(configure_audio) if configure_audio else None
    asked = (bundle is not None) + show_list + rollback + uninstall
    if asked > 1 or (asked == 0 and audio is None):
        raise InputError("give one of BUNDLE, --list, --rollback and --uninstall")
    if audio and (show_list or rollback or uninstall):
        raise InputError("--configure-audio is given alone or with a BUNDLE")
    if bundle is None and (image or layer or bundle_app or ansible):
        raise InputError(f"a BUNDLE is needed with --{chosen[0].replace('_', '-')}")
    request = None
    check_root(root)
    check_run_arguments(run_arguments or ())
    options = tuple(ssh_option or ())
    if bundle is not None:
        request = FlashRequest(
            bundle=_checked(find_bundle(bundle)),
            root=root,
            board=board,
            engine=engine,
            wheels=wheels,
            trust=trust,
            allow_unsigned=allow_unsigned,
            allow_downgrade=allow_downgrade,
            service=not no_service,
            run_arguments=tuple(run_arguments or ()),
            audio=audio,
        )
    hosts = read_inventory(inventory, tuple(group or ()), tell) if inventory else ()
    if request is not None and ansible is not None:
        make_playbook(request, ansible, hosts, system)
        return
    if inventory is not None:
        fleet = FleetCommand(hosts, options, parallel=parallel, dry_run=dry_run)
        if request is not None:
            raise typer.Exit(fleet.flash(request))
        if audio is not None:
            raise typer.Exit(fleet.configure(audio, root))
        raise typer.Exit(fleet.change(root, rollback=rollback, uninstall=uninstall))
    if request is not None and image is not None:
        if out is None:
            raise InputError("--out IMG is needed with --image: the stock image is never changed")
        make_card(request, image, out, card, init_format, device, tell)
        return
    if request is not None and layer is not None:
        make_layer(request, layer, system, tell)
        return
    if request is not None and bundle_app is not None:
        pack_app(request, bundle_app, system)
        return
    target = SshTarget(to or "", port, identity, options)
    if request is not None:
        flash_one(target, request, dry_run=dry_run)
    elif audio is not None:
        configure_one(target, audio, root, dry_run=dry_run)
    else:
        change_one(target, root, rollback=rollback, uninstall=uninstall, dry_run=dry_run)


def _given(context: typer.Context) -> list[str]:
    """Return the parameter names of the arguments given on the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [name for name, source in sources.items() if source and source.name == "COMMANDLINE"]


def _checked(path: Path) -> Bundle:
    """Read a bundle and check its graphs before contacting a board."""
    bundle = read_bundle(path)
    check_bundle(bundle)
    return bundle
