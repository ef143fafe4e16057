"""Puts a bundle on a card or into a layer: finds the wheels and checks the signature first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.board import Board, System
from edge_vc_boards.flash.audio_setup import AudioSetup
from edge_vc_boards.flash.image.block_device import (
    KernelFiles,
    check_device,
    write_device,
)
from edge_vc_boards.flash.image.card import Card, CardRequest, make_card
from edge_vc_boards.flash.image.card_settings import CardSettings
from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.image_layer import write_layer
from edge_vc_boards.flash.image.payload import Payload
from edge_vc_boards.flash.request import FlashRequest
from edge_vc_boards.flash.signer_key import check_signed, read_signer_key
from edge_vc_boards.flash.wheel_choice import carried_wheels, given_wheels
from edge_vc_boards.profile_folder import load_board
from edge_vc_runtime.install.layout import DEFAULT_ROOT, release_name

DEFAULT_BOARD = "pi4"
"""Its wheels run on every Raspberry Pi with a 64-bit system; its engine is their default."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class CardPlan:
    """The bundle, image and destination of a card."""

    request: FlashRequest
    image: Path
    out: Path
    settings: CardSettings
    init_format: str | None = None
    device: Path | None = None


def flash_card(
    plan: CardPlan, say: Say, confirm: Callable[[str], str], machine: KernelFiles | None = None
) -> Card:
    """Make a card's image and, if a device is given and confirmed, write it there.

    Raises `FlashError`.
    """
    board, source = _source(plan.request, say)
    if plan.device is not None:
        check_device(plan.device, 0, machine)  # reject it before minutes of copying
    card = make_card(
        CardRequest(
            image=plan.image,
            out=plan.out,
            board=board,
            settings=plan.settings,
            payload=lambda image: source(image.system),
            title=f"Edge VC: {release_name(plan.request.bundle)}",
            init_format=plan.init_format,
        ),
        say,
    )
    if plan.device is not None:
        device = check_device(plan.device, card.size, machine)
        if write_device(card.path, device, confirm) != card.sha256:
            raise CardError(f"{card.path}: has changed since it was made")
        say(f"{device.name}: written and read back")
    return card


def flash_layer(request: FlashRequest, folder: Path, system: str | None, say: Say) -> list[Path]:
    """Write a layer for rpi-image-gen; raises `FlashError`."""
    board, source = _source(request, say)
    return write_layer(folder, source(board.system_named(system)))


def _source(request: FlashRequest, say: Say) -> tuple[Board, Callable[[System], Payload]]:
    """Check a bundle; return its board and a function that returns the payload for a system."""
    board = load_board(request.board or DEFAULT_BOARD)
    boards = request.bundle.manifest.boards
    if "*" not in boards and board.name not in boards:
        raise CardError(f"{request.bundle.path}: is for {', '.join(boards)}; name it with --board")
    if board.arch != "aarch64" or any(system.tegra_release for system in board.systems):
        raise CardError(f"--board {board.name}: a card is made for a Raspberry Pi")
    if request.root != str(DEFAULT_ROOT) or not request.service:
        raise CardError(f"a card is installed in {DEFAULT_ROOT}, with its service")
    if request.audio == AudioSetup():
        raise CardError("--configure-audio none: nothing is set up in a new system")
    key = read_signer_key(request.trust) if request.trust else None
    check_signed(request.bundle, key, request.allow_unsigned)
    if key is None and not request.allow_unsigned:
        raise CardError("a new card lists no signers: --trust KEY.pub, or --allow-unsigned")

    def payload(system: System) -> Payload:
        python = system.python
        if request.wheels is not None:
            wheels = given_wheels(request.wheels, board, python)
        else:
            wheels = carried_wheels(board, system, python, request.engine, say)
        line = key.line if key else ""
        return Payload(request.bundle.path, wheels, line, request.run_arguments, request.audio)

    return board, payload
