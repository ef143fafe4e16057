"""Sound devices as a table for a terminal, at most 100 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from edge_vc_runtime.devices.cards import CardHolder
from edge_vc_runtime.devices.listing import (
    DIRECTIONS,
    BackendListing,
    DeviceListing,
    ListedCard,
    ListedDevice,
)
from edge_vc_runtime.message import printable

_COLUMNS = 100
_NAME = 40  # columns of a name


def describe_devices(listing: DeviceListing) -> list[str]:
    """Return the lines: one table per back end, then the kernel's cards."""
    lines: list[str] = []
    shown: dict[object, str] = {}
    for backend in listing.backends:
        same = shown.setdefault((backend.input, backend.output), backend.name)
        if backend.problem:
            lines += [f"{backend.name}: {backend.problem}"]
        elif same != backend.name:
            lines += [f"{backend.name}: the same devices as {same}"]
        else:
            lines += _table(backend)
        lines.append("")
    if listing.cards:
        lines += ["cards of the kernel", *(_card(card) for card in listing.cards), ""]
    if listing.notice and not listing.empty:
        lines += [*textwrap.wrap(listing.notice, _COLUMNS), ""]
    for direction, key in listing.remembered.items():
        lines.append(f"remembered {direction}: {key}")
    lines.append(
        "* is used where no name is given. --input and --output take a name, a part of it,"
    )
    lines.append("or the line below it, which keeps its meaning when cards are plugged in.")
    return list(map(printable, lines))


def _table(backend: BackendListing) -> list[str]:
    lines = []
    for direction in DIRECTIONS:
        devices = backend.input if direction == "input" else backend.output
        title = f"{backend.name}: {direction}s"
        lines.append(f"{title:<{_NAME + 2}}  channels   latency  rates in kHz")
        for device in devices:
            lines += _device(device)
        if not devices:
            lines.append("  none")
    return lines


def _device(device: ListedDevice) -> list[str]:
    rates = " ".join(f"{rate / 1000:g}" for rate in device.rates)
    if not rates:
        rates = _state(device.holders) if device.holders else "does not open"
    name = _cut(device.name, _NAME)
    lines = [
        f"{'*' if device.default else ' '} {name:<{_NAME}}  {device.channels:>8}  "
        f"{device.low_latency_ms:>5.1f} ms  {rates}"
    ]
    if device.key != device.name or name != device.name:
        lines.append(f"    {device.key}")
    return lines


def _card(card: ListedCard) -> str:
    states = [
        f"{direction} {_state(holders)}"
        for direction, there, holders in (
            ("input", card.input, card.input_holders),
            ("output", card.output, card.output_holders),
        )
        if there
    ]
    return f"  {card.key}  {_cut(card.name, _NAME)}: {', '.join(states)}"


def _state(holders: Iterable[CardHolder]) -> str:
    names = " and ".join(str(holder) for holder in holders)
    return f"in use by {names}" if names else "free"


def _cut(name: str, columns: int) -> str:
    return name if len(name) <= columns else name[: columns - 3] + "..."
