"""Kinds of audio sources and destinations, selected by the user's argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from edge_vc_runtime.registry import Named, Registry


class PlaceKind(Named, Protocol):
    """A kind that states which arguments it opens."""

    @property
    def usage(self) -> str:
        """Description of its arguments, for help."""

    @property
    def accepts(self) -> Callable[[str], bool]:
        """Whether this kind opens an argument."""


Kind = TypeVar("Kind", bound=PlaceKind)


class PlaceRegistry(Registry[Kind]):
    """A registry in which the last of several kinds that accept an argument opens it."""

    def accepting(self, argument: str) -> Kind | None:
        """Return the kind that opens an argument, None if there is none.

        Entry points are read only for an argument that no registered kind accepts.
        """
        found = self._accepting(argument)
        if found is None:
            self.complete()
            found = self._accepting(argument)
        return found

    def describe(self) -> str:
        """Return the possible arguments, in one line for help; reads entry points."""
        return ", or ".join(kind.usage for kind in self.complete().values())

    def _accepting(self, argument: str) -> Kind | None:
        return next((kind for kind in reversed(self.values()) if kind.accepts(argument)), None)
