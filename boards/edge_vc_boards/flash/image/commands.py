"""What ``edge-vc flash --image`` and ``--layer`` do, from arguments to lines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import typer

from edge_vc_boards.flash.image.card_flash import CardPlan, flash_card, flash_layer
from edge_vc_boards.flash.image.card_options import CardOptions
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
    """Make a card's image, and write it where a device is named."""
    settings = options.settings(partial(typer.prompt, hide_input=True, err=True))
    plan = CardPlan(request, image, out, settings, init_format, device)
    card = flash_card(plan, say, partial(typer.prompt, default="", show_default=False, err=True))
    lines = (
        f"{card.path}: {card.size / 1e6:.1f} MB, read back, customised with {card.format}",
        f"{card.path}: sha256 {card.sha256}",
        f"{card.manifest}: for Raspberry Pi Imager 2",
    )
    for line in lines:
        typer.echo(printable(line))


def make_layer(request: FlashRequest, layer: Path, system: str | None, say: Say) -> None:
    """Write a layer for rpi-image-gen and name its files."""
    for path in flash_layer(request, layer, system, say):
        typer.echo(shown_path(path), color=True)
