"""Selection of a device by its exact name, an ALSA name, a part of its name, or a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from edge_vc_runtime.devices.backend import Backend, Device, Direction
from edge_vc_runtime.devices.cards import (
    SoundCard,
    card_holders,
    find_card,
    is_alsa_name,
    sound_cards,
)
from edge_vc_runtime.devices.error import DeviceBusyError, DeviceError, DeviceGoneError
from edge_vc_runtime.devices.remembered import remembered_devices
from edge_vc_runtime.devices.sound_system import explain_no_device, foreign_server_notice
from edge_vc_runtime.message import one_line

_DEFAULTS = ("default", "pipewire", "pulse")
"""Device names of the sound server, the preferred one first."""
_SHOWN = 6  # number of candidates listed in an error


def ignore_notice(line: str) -> None:
    """Ignore a notice."""


def find_device(
    backend: Backend,
    wanted: str | None,
    direction: Direction,
    notice: Callable[[str], object] = ignore_notice,
    root: Path = Path("/"),
) -> Device:
    """Return the wanted device from a new listing; None: the remembered one, or the default.

    ``wanted`` is a name, a key (``plughw:CARD=Device,DEV=0``), a part of either in any case, or a
    number, for which there is a notice since numbers change. Raises `DeviceError` for an
    ambiguous name, with the candidates; `DeviceGoneError` if nothing matches the name;
    `DeviceBusyError` if the card exists but another program uses it.
    """
    return pick_device(backend.devices(), wanted, direction, notice, root)


def pick_device(
    devices: Sequence[Device],
    wanted: str | None,
    direction: Direction,
    notice: Callable[[str], object] = ignore_notice,
    root: Path = Path("/"),
) -> Device:
    """Return the wanted one of ``devices``, like `find_device`.

    Both directions of a pair can use one listing, which takes PortAudio 50 to 200 ms.
    """
    if not devices:
        raise DeviceGoneError(explain_no_device(root))
    if wanted is not None:
        return choose_device(devices, wanted, direction, notice, root)
    kept = remembered_devices().get(direction)
    if kept is None:
        found = default_device(devices, direction)
        if found.name not in _DEFAULTS:
            reason = foreign_server_notice(root)
            if reason:
                notice(f"{direction} is {found.name}, since {reason}")
        return found
    try:
        return choose_device(devices, kept, direction, notice, root)
    except DeviceBusyError:
        raise
    except DeviceError as error:
        raise DeviceGoneError(
            f"the remembered {direction} {kept!r} is not there; plug it in, or choose another with "
            f"--{direction} NAME"
        ) from error


def choose_device(
    devices: Sequence[Device],
    wanted: str,
    direction: Direction,
    notice: Callable[[str], object] = ignore_notice,
    root: Path = Path("/"),
) -> Device:
    """Return the one of ``devices`` that matches ``wanted``; see `find_device`."""
    usable = [device for device in devices if device.channels(direction)]
    cards = sound_cards(root)
    found = _named(usable, wanted, cards)
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        more = f"give more of the {direction}'s name"
        if len({device.name for device in found}) < len(found):  # of the same model
            found = [replace(device, name=device.key) for device in found]
            more = "give one of these"
        raise DeviceError(f"{wanted!r:.60} may mean {_list(found)}; {more}")
    if wanted.isascii() and wanted.isdigit():
        numbered = [device for device in usable if device.index == int(wanted[:6])]
        if numbered:
            notice(
                f"{direction} {wanted} is {numbered[0].name} now; numbers change when a device "
                f"is plugged in: --{direction} '{numbered[0].key}' keeps its meaning"
            )
            return numbered[0]
    raise _not_found(devices, usable, wanted, direction, cards, root)


def default_device(devices: Sequence[Device], direction: Direction) -> Device:
    """Return the sound server's device, otherwise the first one of the direction."""
    usable = [device for device in devices if device.channels(direction)]
    for name in _DEFAULTS:
        for device in usable:
            if device.name == name:
                return device
    if not usable:
        other = "plays" if direction == "input" else "records"
        raise DeviceGoneError(
            f"there is no {direction}: {_list(devices)} only {other}; plug a device in, or see "
            "edge-vc-rt devices"
        )
    return usable[0]


def _named(
    devices: Sequence[Device], wanted: str, cards: tuple[SoundCard, ...]
) -> Sequence[Device]:
    exact = [device for device in devices if wanted in (device.name, device.key)]
    if exact:
        return exact[:1] if len({device.key for device in exact}) == 1 else exact
    card = find_card(wanted, cards)
    if card is not None:
        return [device for device in devices if device.key == card[0].key(card[1])]
    if is_alsa_name(wanted):
        return []
    part = wanted.casefold()
    if not part.strip() or part.isdigit():
        return []
    return [d for d in devices if part in d.name.casefold() or part in d.key.casefold()]


def _not_found(
    devices: Sequence[Device],
    usable: Sequence[Device],
    wanted: str,
    direction: Direction,
    cards: tuple[SoundCard, ...],
    root: Path,
) -> DeviceError:
    card = _card(wanted, direction, cards)
    if card is not None:
        holders = card_holders(card[0], card[1], direction, root)
        if holders:
            names = " and ".join(str(holder) for holder in holders)
            return DeviceBusyError(
                f"{card[0].key(card[1])} ({card[0].name}) is in use by {names}; stop it, or "
                f"choose another {direction}"
            )
    others = _named([device for device in devices if device not in usable], wanted, cards)
    if others:
        does = "plays" if direction == "input" else "records"
        return DeviceError(
            f"{others[0].name} only {does}; give as {direction} one of {_list(usable)}"
        )
    shown = one_line(repr(wanted[:60]))
    if not usable:
        return DeviceGoneError(f"there is no {direction} {shown}, nor any other; plug one in")
    return DeviceGoneError(f"there is no {direction} {shown}; choose from {_list(usable)}")


def _card(
    wanted: str, direction: Direction, cards: tuple[SoundCard, ...]
) -> tuple[SoundCard, int] | None:
    """Return the wanted kernel card, which PortAudio omits while it is busy."""
    found = find_card(wanted, cards)
    if found is not None:
        return found
    part = wanted.casefold().strip()
    named = [card for card in cards if part and part in card.name.casefold()]
    if len(named) == 1 and named[0].numbers(direction):
        return named[0], named[0].numbers(direction)[0]
    return None


def _list(devices: Sequence[Device]) -> str:
    names = [device.name for device in devices[:_SHOWN]]
    rest = len(devices) - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")
