"""History of an installation: its releases, their order, and the reasons for rollbacks."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from edge_vc_runtime.install.disk import Disk
from edge_vc_runtime.schema.fields import FieldError, parse_object
from edge_vc_runtime.schema.records import from_json_value

_LIMIT = 1 << 20  # bytes
_EVENTS = 50


@dataclass(frozen=True)
class InstallEvent:
    """One event."""

    time: str
    """UTC according to the board's clock, which may be wrong."""
    action: str
    """``install``, ``rollback``, ``refused`` or ``state``."""
    release: str
    reason: str


@dataclass(frozen=True)
class InstallState:
    """The installation's state; the running release is given by `current` itself."""

    order: tuple[str, ...] = ()
    """Releases in the order in which they became current, the latest last."""
    pending: str = ""
    """A release that was made current and whose health check has not finished."""
    previous: str = ""
    """The release before the current one."""
    events: tuple[InstallEvent, ...] = ()

    def noting(self, action: str, release: str, reason: str) -> InstallState:
        """Return the state with an event appended; only the last 50 are kept."""
        when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        event = InstallEvent(when, action, release, reason[:500])
        return replace(self, events=(*self.events, event)[-_EVENTS:])

    def with_latest(self, release: str) -> InstallState:
        """Return the state with ``release`` as the last one that became current."""
        rest = tuple(each for each in self.order if each != release)
        return replace(self, order=(*rest, release))


def read_state(path: Path) -> InstallState:
    """Return the state; if the file cannot be read, an empty one with an event that says so."""
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT)
        return from_json_value(InstallState, parse_object(data))
    except FileNotFoundError:
        return InstallState()
    except (OSError, FieldError) as error:
        return InstallState().noting("state", "", f"{path.name} could not be read: {error}")


def write_state(path: Path, state: InstallState, disk: Disk) -> None:
    """Write the state atomically; raises `InstallError`."""
    disk.write_over(path, (json.dumps(asdict(state), indent=1) + "\n").encode())
