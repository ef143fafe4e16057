"""The arguments of ``edge-vc flash`` for cards and layers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edge_vc.command_line.output import output_option
from edge_vc_runtime.files.output_kinds import FOLDER
from edge_vc_runtime.files.output_place import OutputPlace

CARD_IMAGE = OutputPlace((".img",))

ImageOption = Annotated[
    Path | None, typer.Option(metavar="IMG", help="A stock image to make a card of.")
]

OutOption = Annotated[
    Path | None,
    output_option(CARD_IMAGE, metavar="IMG", help="The card's image; needed with --image."),
]

UserOption = Annotated[str | None, typer.Option(metavar="NAME", help="The card's account.")]

PasswordFileOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Its password, or the hash, in one line."),
]

SshKeyOption = Annotated[
    list[Path] | None,
    typer.Option(metavar="KEY.pub", help="Who may log in there; may be repeated."),
]

HostnameOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="The card's name on the network.")
]

TimezoneOption = Annotated[str | None, typer.Option(metavar="ZONE", help="E.g. Europe/London.")]

LocaleOption = Annotated[str | None, typer.Option(metavar="LL_CC", help="E.g. en_GB.UTF-8.")]

KeyboardOption = Annotated[str | None, typer.Option(metavar="LAYOUT", help="E.g. gb.")]

WifiOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Wi-Fi to join: WPA2, or open.")
]

WifiFileOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Its passphrase in one line; empty for an open one."),
]

WifiCountryOption = Annotated[
    str | None, typer.Option(metavar="CC", help="Country for Wi-Fi rules, e.g. GB.")
]

WifiHiddenOption = Annotated[
    bool, typer.Option("--wifi-hidden", help="It does not announce its name.")
]

InstanceOption = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Distinguishes cards with the same content."),
]

InitFormatOption = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT",
        help="systemd, cloudinit-rpi or rpi-preseed, if an image matches two of them.",
    ),
]

DeviceOption = Annotated[
    Path | None,
    typer.Option(
        metavar="/dev/X",
        help="Write the card there as well: removable, unmounted, confirmed by its name.",
    ),
]

LayerOption = Annotated[Path | None, output_option(FOLDER, help="Write a layer for rpi-image-gen.")]

SystemOption = Annotated[
    str | None,
    typer.Option(
        help="Of --layer, --bundle-app or --ansible, e.g. trixie.", show_default="the first; all"
    ),
]
