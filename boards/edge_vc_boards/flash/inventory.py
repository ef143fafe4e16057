"""The boards of a fleet, from a file in TOML or, with the suffix ``.yml``, Ansible's YAML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge_vc_boards.flash.ansible_inventory import ansible_hosts
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.inventory_host import InventoryHost
from edge_vc_boards.flash.toml_inventory import toml_hosts
from edge_vc_runtime.install.error import InstallError
from edge_vc_runtime.service_arguments import check_run_arguments

_LIMIT = 1 << 20  # bytes
_YAML = (".yml", ".yaml")
Say = Callable[[str], None]


def read_inventory(
    path: Path, groups: tuple[str, ...] = (), say: Say = lambda line: None
) -> tuple[InventoryHost, ...]:
    """Return the boards of a file in its order, limited to ``groups`` if given.

    ``say`` is told which variables of an Ansible inventory are ignored. Raises `FlashError`.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LIMIT + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise FlashError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    if len(text) > _LIMIT:
        raise FlashError(f"{path}: is larger than 1 MiB")
    try:
        hosts = ansible_hosts(text, say) if path.suffix in _YAML else toml_hosts(text)
        for host in hosts:
            _check_login(host)
            check_run_arguments(host.run, f"{host.name}: arguments of run")
    except (FlashError, InstallError) as error:
        raise FlashError(f"{path}: {error}"[:400]) from error
    known = {group for host in hosts for group in host.groups}
    for group in groups:
        if group not in known:
            listed = f"known are {', '.join(sorted(known))}" if known else "its boards are in none"
            raise FlashError(f"{path}: no group {group!r:.60}, {listed}"[:400])
    chosen = tuple(host for host in hosts if not groups or set(groups) & set(host.groups))
    _check_apart(path, chosen)
    return chosen


def _check_login(host: InventoryHost) -> None:
    try:
        host.target(())
    except FlashError as error:
        raise FlashError(f"{host.name}: {error}") from error


def _check_apart(path: Path, hosts: tuple[InventoryHost, ...]) -> None:
    """Reject two names for one login: both would change the same board at once."""
    names: dict[tuple[str, int | None], str] = {}
    for host in hosts:
        first = names.setdefault((host.to.lower(), host.port), host.name)
        if first != host.name:
            raise FlashError(
                f"{path}: {first} and {host.name} are the same board ({host.to}); leave one out"
            )
