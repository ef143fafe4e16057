"""Many boards: a canary first, then several at a time, stopping at the first failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

from edge_vc_boards.board import BoardError
from edge_vc_boards.flash.error import FlashCheckError, FlashError
from edge_vc_boards.flash.inventory_host import InventoryHost
from edge_vc_runtime.install.error import InstallError
from edge_vc_runtime.message import one_line

HostState = Literal[
    "changed", "unchanged", "installed", "empty", "removed", "failed", "refused", "not tried"
]
"""``failed``: on the board itself; ``refused``: before any change, or the board is unreachable."""
HostAction = Callable[[InventoryHost], tuple[HostState, str]]
"""Performs an action on a board; returns its state and a release or a reason."""


@dataclass(frozen=True)
class HostOutcome:
    """The outcome for one board."""

    host: InventoryHost
    state: HostState
    detail: str
    """Release or reason."""
    seconds: float = 0.0


def run_fleet(
    hosts: Sequence[InventoryHost],
    action: HostAction,
    *,
    parallel: int = 4,
    canary: bool = True,
) -> list[HostOutcome]:
    """Run the action on the first board alone, then on the others, ``parallel`` at a time.

    No board is started after one has failed its health check, nor after the first one was refused;
    unreachable boards do not stop the others. Without ``canary`` nothing stops them.
    """
    stop = threading.Event()

    def one(host: InventoryHost) -> HostOutcome:
        if stop.is_set():
            return HostOutcome(host, "not tried", "stopped after a failure")
        outcome = _try(host, action)
        if canary and outcome.state == "failed":
            stop.set()
        return outcome

    first = 1 if canary else 0
    outcomes = [one(host) for host in hosts[:first]]
    if any(outcome.state == "refused" for outcome in outcomes):
        stop.set()
    with ThreadPoolExecutor(max_workers=parallel) as pool:
        return outcomes + list(pool.map(one, hosts[first:]))


def _try(host: InventoryHost, action: HostAction) -> HostOutcome:
    began = time.monotonic()
    try:
        state, detail = action(host)
    except FlashCheckError as error:
        state, detail = "failed", str(error)
    except (FlashError, BoardError, InstallError, OSError) as error:
        state, detail = "refused", str(error)
    return HostOutcome(host, state, detail, time.monotonic() - began)


def fleet_table(outcomes: Sequence[HostOutcome]) -> list[str]:
    """Return one line per board: name, state, time, release or reason."""
    rows = [("board", "state", "time", "release or reason")]
    rows += [
        (
            outcome.host.name,
            outcome.state,
            f"{outcome.seconds:.1f} s" if outcome.state != "not tried" else "",
            one_line(outcome.detail),
        )
        for outcome in outcomes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["  ".join((*map(str.ljust, row[:3], widths), row[3])) for row in rows]


def fleet_code(outcomes: Sequence[HostOutcome]) -> int:
    """Return the exit code: 1 after a failure on a board, 2 if one was refused, otherwise 0."""
    states = {outcome.state for outcome in outcomes}
    return 1 if "failed" in states else 2 if "refused" in states else 0
