"""A fleet in Ansible's YAML: hosts, groups, children and variables, read as untrusted input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.inventory_host import HOST_NAME, MOST_HOSTS, InventoryHost
from edge_vc_boards.flash.plain_yaml import PlainValue, read_plain_yaml

_GROUP = r"[A-Za-z_][A-Za-z0-9_-]{0,63}"
_PARTS = ("hosts", "children", "vars")
_KEY_FILES = ("ansible_ssh_private_key_file", "ansible_private_key_file")
_KNOWN = (
    *("ansible_host", "ansible_ssh_host", "ansible_user", "ansible_ssh_user"),
    *("ansible_port", "ansible_ssh_port", *_KEY_FILES),
    *("edge_vc_board", "edge_vc_run"),
)
"""Variables that are used here."""
_NOTHING = ("ansible_connection", "ansible_python_interpreter", "ansible_become")
"""Variables that are ignored if their value makes no difference here."""
_DEPTH = 16
Variables = dict[str, PlainValue]


@dataclass
class _Entry:
    """What has been found about a host so far."""

    groups: list[str] = field(default_factory=list)
    variables: Variables = field(default_factory=dict)


def ansible_hosts(text: str, say: Callable[[str], None]) -> tuple[InventoryHost, ...]:
    """Return the boards of an inventory; ``say`` is told which variables are ignored.

    A host's variables take precedence over its group's, a group's over those of its parent group.
    Raises `FlashError` for an unsupported key, pattern or template.
    """
    document = _mapping(read_plain_yaml(text), "the inventory")
    entries: dict[str, _Entry] = {}
    for name, group in document.items():
        for host, groups, variables in _walk(name, group, {}, ()):
            entry = entries.setdefault(host, _Entry())
            entry.groups += [each for each in groups if each not in entry.groups]
            entry.variables |= variables
            if len(entries) > MOST_HOSTS:
                raise FlashError(f"has more than {MOST_HOSTS} hosts")
    if not entries:
        raise FlashError("names no hosts; groups hold hosts: with a line for each")
    unknown = sorted({key for entry in entries.values() for key in entry.variables} - {*_KNOWN})
    if unknown:
        say(f"note: variables without meaning here: {', '.join(unknown)[:300]}")
    return tuple(_host(name, entry) for name, entry in entries.items())


def _walk(
    name: str, group: PlainValue, above: Variables, groups: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...], Variables]]:
    """Yield every host of a group and its subgroups, with the host's groups and variables."""
    if not re.fullmatch(_GROUP, name):
        raise FlashError(f"group {name!r:.80}: has to be of letters, digits and _-")
    if len(groups) == _DEPTH:
        raise FlashError(f"group {name}: more than {_DEPTH} groups in each other")
    content = _mapping(group, f"group {name}")
    for key in content:
        if key not in _PARTS:
            raise FlashError(
                f"group {name}: {key!r:.60} is not part of a group, known are {', '.join(_PARTS)}"
            )
    groups = (*groups, name)
    variables = above | _checked(_mapping(content.get("vars"), f"{name}.vars"), name)
    for child, below in _mapping(content.get("children"), f"{name}.children").items():
        yield from _walk(child, below, variables, groups)
    for host, own in _mapping(content.get("hosts"), f"{name}.hosts").items():
        if not re.fullmatch(HOST_NAME, host):
            raise FlashError(f"host {host!r:.80}: has to be one name of letters, digits and ._-")
        yield host, groups, variables | _checked(_mapping(own, f"host {host}"), host)


def _checked(variables: Variables, where: str) -> Variables:
    """Reject variables that change how a host is reached in an unsupported way."""
    for key, value in variables.items():
        if isinstance(value, str) and "{{" in value and key in _KNOWN:
            raise FlashError(f"{where}.{key}: templates are not filled in here, give the value")
        if key == "ansible_connection" and value not in ("ssh", "smart"):
            raise FlashError(f"{where}.{key} is {value!r:.60}, boards are reached by ssh only")
        if key.startswith("ansible_") and key not in (*_KNOWN, *_NOTHING):
            raise FlashError(f"{where}.{key}: is not known here, known are {', '.join(_KNOWN)}")
    return {key: value for key, value in variables.items() if key not in _NOTHING}


def _host(name: str, entry: _Entry) -> InventoryHost:
    address = _text(name, entry, "ansible_host", "ansible_ssh_host") or name
    user = _text(name, entry, "ansible_user", "ansible_ssh_user")
    identity = _text(name, entry, *_KEY_FILES)
    return InventoryHost(
        name=name,
        to=f"{user}@{address}" if user else address,
        groups=tuple(entry.groups),
        port=_port(name, entry),
        identity=Path(identity).expanduser() if identity else None,
        board=_text(name, entry, "edge_vc_board"),
        run=_run(name, entry),
    )


def _text(name: str, entry: _Entry, *keys: str) -> str | None:
    for key in keys:
        value = entry.variables.get(key)
        if value is None:
            continue
        if isinstance(value, str) and 0 < len(value) < 300 and value.isprintable():
            return value
        raise FlashError(f"host {name}: {key} is {value!r:.60}, expected a printable string")
    return None


def _port(name: str, entry: _Entry) -> int | None:
    variables = entry.variables
    value = variables.get("ansible_port", variables.get("ansible_ssh_port"))
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,5}", value):
        value = int(value)
    if value is None or (type(value) is int and 0 < value < 65536):
        return value
    raise FlashError(f"host {name}: ansible_port is {value!r:.60}, expected 1 to 65535")


def _run(name: str, entry: _Entry) -> tuple[str, ...]:
    value = entry.variables.get("edge_vc_run", [])
    if not isinstance(value, list) or len(value) > 64:
        raise FlashError(f"host {name}: edge_vc_run is {value!r:.60}, expected a list of strings")
    words = tuple(word for word in value if isinstance(word, str) and word.isprintable())
    if len(words) != len(value):
        raise FlashError(f"host {name}: edge_vc_run is {value!r:.60}, expected a list of strings")
    return words


def _mapping(value: PlainValue, where: str) -> Variables:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise FlashError(f"{where}: is {value!r:.60}, expected a mapping")
    return value
