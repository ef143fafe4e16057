"""Kinds of places that audio comes from or goes to, chosen by what the user wrote."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from edge_vc_runtime.registry import Named, Registry


class PlaceKind(Named, Protocol):
    """A kind that says which arguments it opens."""

    @property
    def usage(self) -> str:
        """What an argument looks like, for help."""

    @property
    def accepts(self) -> Callable[[str], bool]:
        """Whether this kind opens an argument."""


Kind = TypeVar("Kind", bound=PlaceKind)


class PlaceRegistry(Registry[Kind]):
    """A registry in which, of several kinds that accept an argument, the last one opens it."""

    def accepting(self, argument: str) -> Kind | None:
        """Return the kind that opens an argument, None where no kind does.

        Entry points are read only for an argument that no registered kind accepts.
        """
        found = self._accepting(argument)
        if found is None:
            self.complete()
            found = self._accepting(argument)
        return found

    def describe(self) -> str:
        """Return what an argument can be, in one line for help; reads entry points."""
        return ", or ".join(kind.usage for kind in self.complete().values())

    def _accepting(self, argument: str) -> Kind | None:
        return next((kind for kind in reversed(self.values()) if kind.accepts(argument)), None)
