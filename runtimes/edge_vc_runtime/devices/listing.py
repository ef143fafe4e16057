"""The sound devices seen by each back end and by the kernel, as data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from edge_vc_runtime.devices.backend import Backend, Device, Direction
from edge_vc_runtime.devices.backends import backend_kinds, open_backend
from edge_vc_runtime.devices.cards import CardHolder, card_holders, find_card, sound_cards
from edge_vc_runtime.devices.error import DeviceError
from edge_vc_runtime.devices.remembered import remembered_devices
from edge_vc_runtime.devices.selection import choose_device, default_device
from edge_vc_runtime.devices.sound_system import explain_no_device, foreign_server_notice

DIRECTIONS: tuple[Direction, ...] = ("input", "output")


@dataclass(frozen=True)
class ListedDevice:
    """One direction of a device."""

    name: str
    key: str
    """The name to use for a stable reference to it."""
    channels: int
    low_latency_ms: float
    rates: tuple[int, ...]
    """The common sample rates in Hz that it supports; empty if it cannot be opened."""
    holders: tuple[CardHolder, ...]
    """Programs that have it open."""
    default: bool
    """Whether it is used if no name is given."""
    remembered: bool


@dataclass(frozen=True)
class BackendListing:
    """The devices seen by one back end, or why there are none."""

    name: str
    input: tuple[ListedDevice, ...] = ()
    output: tuple[ListedDevice, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class ListedCard:
    """One device of a card, as seen by the kernel."""

    key: str
    name: str
    input: bool
    output: bool
    input_holders: tuple[CardHolder, ...]
    output_holders: tuple[CardHolder, ...]


@dataclass(frozen=True)
class DeviceListing:
    """The complete listing; `as_json` is printed by ``devices --json``."""

    backends: tuple[BackendListing, ...]
    cards: tuple[ListedCard, ...]
    remembered: dict[Direction, str]
    notice: str
    """Why the session's sound server is unreachable; empty if it is reachable."""

    @property
    def empty(self) -> bool:
        """Whether no back end has a device."""
        return not any(each.input or each.output for each in self.backends)

    def as_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def list_devices(name: str | None = None, root: Path = Path("/")) -> DeviceListing:
    """Query every back end, or only ``name``, and the kernel.

    If all are queried, a missing one is listed with the reason; otherwise it raises `DeviceError`.
    """
    listings = []
    for each in backend_kinds() if name is None else [name]:
        try:
            backend = open_backend(each)
        except DeviceError as error:
            if name is not None:
                raise
            listings.append(BackendListing(each, problem=str(error)))
            continue
        try:
            listings.append(list_backend(backend, root))
        finally:
            backend.close()
    notice = foreign_server_notice(root)
    return DeviceListing(tuple(listings), list_cards(root), remembered_devices(), notice)


def list_backend(backend: Backend, root: Path = Path("/")) -> BackendListing:
    """Return a back end's devices with their supported rates."""
    try:
        devices = backend.devices()
    except DeviceError as error:
        return BackendListing(backend.name, problem=str(error))
    if not devices:
        return BackendListing(backend.name, problem=explain_no_device(root))
    return BackendListing(
        backend.name,
        _listed(backend, devices, "input", root),
        _listed(backend, devices, "output", root),
    )


def list_cards(root: Path = Path("/")) -> tuple[ListedCard, ...]:
    """Return the kernel's cards, including busy ones, and the programs that use them."""
    return tuple(
        ListedCard(
            key=card.key(number),
            name=card.name,
            input=number in card.inputs,
            output=number in card.outputs,
            input_holders=card_holders(card, number, "input", root),
            output_holders=card_holders(card, number, "output", root),
        )
        for card in sound_cards(root)
        for number in sorted({*card.inputs, *card.outputs})
    )


def _listed(
    backend: Backend, devices: Sequence[Device], direction: Direction, root: Path
) -> tuple[ListedDevice, ...]:
    kept = _find(devices, remembered_devices().get(direction), direction, root)
    try:
        default = kept or default_device(devices, direction)
    except DeviceError:
        return ()
    return tuple(
        ListedDevice(
            name=device.name,
            key=device.key,
            channels=device.channels(direction),
            low_latency_ms=round(
                device.low_input_ms if direction == "input" else device.low_output_ms, 2
            ),
            rates=backend.rates(device, direction),
            holders=_holders(device, direction, root),
            default=device is default,
            remembered=device is kept,
        )
        for device in devices
        if device.channels(direction)
    )


def _holders(device: Device, direction: Direction, root: Path) -> tuple[CardHolder, ...]:
    card = find_card(device.key, sound_cards(root))
    return card_holders(*card, direction, root) if card else ()


def _find(
    devices: Sequence[Device], key: str | None, direction: Direction, root: Path
) -> Device | None:
    if key is None:
        return None
    try:
        return choose_device(devices, key, direction, root=root)
    except DeviceError:
        return None
