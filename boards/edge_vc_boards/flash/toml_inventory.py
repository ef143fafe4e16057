"""A fleet in TOML: one table per board, read as untrusted input."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.inventory_host import HOST_NAME, MOST_HOSTS, InventoryHost


def toml_hosts(text: str) -> tuple[InventoryHost, ...]:
    """Return the boards from ``[hosts.NAME]`` tables; raises `FlashError`."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise FlashError(f"{error}"[:300]) from error
    tables = document.pop("hosts", None)
    if document or not isinstance(tables, dict) or not 0 < len(tables) <= MOST_HOSTS:
        raise FlashError('has to hold [hosts.NAME] tables with to = "user@host", only')
    return tuple(_host(name, table) for name, table in tables.items())


def _host(name: str, table: object) -> InventoryHost:
    if not re.fullmatch(HOST_NAME, name) or not isinstance(table, dict):
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
