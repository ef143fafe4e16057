"""Registries of kinds by name: built-in ones, and those of other distributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

from edge_vc_runtime.entry_points import register_entry_points


class Named(Protocol):
    """An object with a name."""

    @property
    def name(self) -> str:
        """The name used by users."""


Kind = TypeVar("Kind", bound=Named)


class Registry(dict[str, Kind]):
    """Registered kinds by name, in order of preference.

    Those declared by entry points are added by `complete`: reading them takes time, so it is only
    called if the registered ones do not suffice.
    """

    def __init__(self, what: str, group: str, kinds: Iterable[Kind]) -> None:
        """``what`` is a noun with its article, for errors; ``group`` is the entry point group."""
        super().__init__({kind.name: kind for kind in kinds})
        self._what = what
        self._group = group
        self._installed = set(self)

    def register(self, kind: Kind) -> None:
        """Add a kind as the last in order; raises `ValueError` if its name is taken."""
        if self.setdefault(kind.name, kind) is not kind:
            raise ValueError(
                f"{self._what} {kind.name!r} is registered already, choose another name"
            )

    def unregister(self, name: str) -> None:
        """Remove a kind; harmless if there is none of that name."""
        self.pop(name, None)

    def complete(self) -> Mapping[str, Kind]:
        """Return all kinds by name, in order; reads entry points the first time."""
        register_entry_points(self._group, self._register_installed)
        return MappingProxyType(self)

    def find(self, name: str) -> Kind | None:
        """Return a kind by name; reads entry points if it is not registered."""
        return self.get(name) or self.complete().get(name)

    def is_installed(self, kind: Kind) -> bool:
        """Return whether every process here knows a kind; False if this program registered it."""
        return kind.name in self._installed

    def _register_installed(self, kind: Kind) -> None:
        self.register(kind)
        self._installed.add(kind.name)
