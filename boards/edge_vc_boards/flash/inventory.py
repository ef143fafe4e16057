"""The boards of a fleet: a TOML file with one table per board, read as hostile input."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.ssh import SshTarget

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_LIMIT = 1 << 20  # bytes
_HOSTS = 10_000


@dataclass(frozen=True)
class InventoryHost:
    """One board of a fleet."""

    name: str
    to: str
    """``user@host``."""
    groups: tuple[str, ...] = ()
    port: int | None = None
    identity: Path | None = None
    board: str | None = None
    """Its profile; None finds it out."""
    run: tuple[str, ...] = ()
    """Arguments of its service's ``run``; empty takes those of the command line."""

    def target(self, options: tuple[str, ...]) -> SshTarget:
        """Return where to log in; raises `FlashError`."""
        return SshTarget(self.to, self.port, self.identity, options)


def read_inventory(path: Path, groups: tuple[str, ...] = ()) -> tuple[InventoryHost, ...]:
    """Return the boards of a file in its order, of some groups only; raises `FlashError`."""
    try:
        with path.open("rb") as file:
            document = tomllib.loads(file.read(_LIMIT).decode())
    except OSError as error:
        raise FlashError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FlashError(f"{path}: {error}"[:300]) from error
    tables = document.pop("hosts", None)
    if document or not isinstance(tables, dict) or not 0 < len(tables) <= _HOSTS:
        raise FlashError(f'{path}: has to hold [hosts.NAME] tables with to = "user@host", only')
    try:
        hosts = tuple(_host(name, table) for name, table in tables.items())
        for host in hosts:
            host.target(())
    except FlashError as error:
        raise FlashError(f"{path}: {error}") from error
    known = {group for host in hosts for group in host.groups}
    for group in groups:
        if group not in known:
            raise FlashError(
                f"{path}: no group {group!r:.60}, known are {', '.join(sorted(known))}"
            )
    return tuple(host for host in hosts if not groups or set(groups) & set(host.groups))


def _host(name: str, table: object) -> InventoryHost:
    if not re.fullmatch(_NAME, name) or not isinstance(table, dict):
        raise FlashError(f"hosts.{name!r:.60}: has to be a table with a name of letters and digits")
    known = {field.name for field in fields(InventoryHost)} - {"name"}
    for key in table:
        if key not in known:
            raise FlashError(
                f"hosts.{name}.{key!r:.60}: no such key, known are {', '.join(sorted(known))}"
            )
    identity = _text(name, table, "identity")
    return InventoryHost(
        name=name,
        to=_text(name, table, "to") or "",
        groups=_texts(name, table, "groups"),
        port=_port(name, table),
        identity=Path(identity).expanduser() if identity else None,
        board=_text(name, table, "board"),
        run=_texts(name, table, "run"),
    )


def _text(name: str, table: dict[str, object], key: str) -> str | None:
    value = table.get(key)
    if value is None or (isinstance(value, str) and 0 < len(value) < 300 and value.isprintable()):
        return value
    raise FlashError(f"hosts.{name}.{key} is {value!r:.60}, expected a printable string")


def _texts(name: str, table: dict[str, object], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or len(value) > 64:
        raise FlashError(f"hosts.{name}.{key} is {value!r:.60}, expected a list of strings")
    return tuple(_text(name, {key: each}, key) or "" for each in value)


def _port(name: str, table: dict[str, object]) -> int | None:
    value = table.get("port")
    if value is None or (type(value) is int and 0 < value < 65536):
        return value
    raise FlashError(f"hosts.{name}.port is {value!r:.60}, expected 1 to 65535")
