"""The operations of ``edge-vc flash --image`` and ``--layer``, from arguments to output lines."""

from __future__ import annotations

import getpass
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import typer

from edge_vc_boards.flash.image.card_flash import CardPlan, flash_card, flash_layer
from edge_vc_boards.flash.image.card_options import (
    PASSWORD_VARIABLE,
    WIFI_VARIABLE,
    CardOptions,
)
from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.init_format import check_format
from edge_vc_boards.flash.request import FlashRequest
from edge_vc_runtime.message import printable, shown_path

Say = Callable[[str], None]


def make_card(
    request: FlashRequest,
    image: Path,
    out: Path,
    options: CardOptions,
    init_format: str | None,
    device: Path | None,
    say: Say,
) -> None:
    """Make a card's image, and write it to a device if one is given."""
    check_format(init_format)
    settings = options.settings(_ask_secret)
    plan = CardPlan(request, image, out, settings, init_format, device)
    card = flash_card(plan, say, partial(typer.prompt, default="", show_default=False, err=True))
    lines = (
        f"{card.path}: {card.size / 1e6:.1f} MB, read back, customised with {card.format}",
        f"{card.path}: sha256 {card.sha256}",
        f"{card.manifest}: for Raspberry Pi Imager 2",
    )
    for line in lines:
        typer.echo(printable(line))


def _ask_secret(what: str) -> str:
    """Prompt for a secret without echo; raises `CardError` if it would be visible."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return str(typer.prompt(what, hide_input=True, err=True))
        except getpass.GetPassWarning:
            typer.echo(err=True)
            raise CardError(
                f"{what}: cannot be asked for without a terminal; give --password-file and "
                f"--wifi-file, or {PASSWORD_VARIABLE} and {WIFI_VARIABLE}"
            ) from None


def make_layer(request: FlashRequest, layer: Path, system: str | None, say: Say) -> None:
    """Write a layer for rpi-image-gen and print its file names."""
    for path in flash_layer(request, layer, system, say):
        typer.echo(shown_path(path), color=True)
