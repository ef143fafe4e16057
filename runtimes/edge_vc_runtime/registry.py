"""Kinds of one thing by name: those that are built in, and those of other distributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

from edge_vc_runtime.entry_points import register_entry_points


class Named(Protocol):
    """Something with a name of its own."""

    @property
    def name(self) -> str:
        """What users call it."""


Kind = TypeVar("Kind", bound=Named)


class Registry(dict[str, Kind]):
    """Registered kinds by name, in order of preference.

    Those that entry points name are added by `complete`: reading them takes time, so it is called
    only where what is registered does not suffice.
    """

    def __init__(self, what: str, group: str, kinds: Iterable[Kind]) -> None:
        """``what`` is one of them with its article, for errors; ``group`` that of entry points."""
        super().__init__({kind.name: kind for kind in kinds})
        self._what = what
        self._group = group
        self._installed = set(self)

    def register(self, kind: Kind) -> None:
        """Add one, the last in order; raises `ValueError` when another one has its name."""
        if self.setdefault(kind.name, kind) is not kind:
            raise ValueError(
                f"{self._what} {kind.name!r} is registered already, choose another name"
            )

    def unregister(self, name: str) -> None:
        """Remove one; harmless when there is none of that name."""
        self.pop(name, None)

    def complete(self) -> Mapping[str, Kind]:
        """Return every kind by name, in order; reads entry points the first time."""
        register_entry_points(self._group, self._register_installed)
        return MappingProxyType(self)

    def find(self, name: str) -> Kind | None:
        """Return a kind by name; entry points are read for one that is not registered."""
        return self.get(name) or self.complete().get(name)

    def is_installed(self, kind: Kind) -> bool:
        """Whether every process here knows it; not so one that this program registered."""
        return kind.name in self._installed

    def _register_installed(self, kind: Kind) -> None:
        self.register(kind)
        self._installed.add(kind.name)
