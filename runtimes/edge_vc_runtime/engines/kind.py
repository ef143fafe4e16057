"""An inference engine as data: everything that the rest of the project needs to know about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest
from edge_vc_runtime.distributions import distribution_version
from edge_vc_runtime.engines.engine import EngineFactory
from edge_vc_runtime.engines.op_time import OpTime
from edge_vc_runtime.samples import Samples

OpProfiler = Callable[[Manifest, ModelEntry, bytes, int, Samples], "tuple[OpTime, ...] | None"]
"""Measures time per kind of node, given manifest, model entry, the model's bytes, a number of
threads and hops ``[N, hop]``; most expensive kind first, None if the library cannot do this."""


@dataclass(frozen=True)
class LibraryVersion:
    """One installed library."""

    library: str
    version: str


@dataclass(frozen=True)
class EngineLibrary:
    """A library that an engine can use."""

    name: str
    """Its pip name, or the name of a system library."""
    least: str = ""
    """Minimum version that loads the project's models; stated by every new bundle. Empty: any."""
    find_version: Callable[[str], str | None] = distribution_version
    """Returns the installed version by name, without importing; None if it is not installed."""


@dataclass(frozen=True)
class EngineKind:
    """An engine that may or may not be installed."""

    name: str
    """Its name for ``--engine``, board profiles and reports."""
    formats: tuple[str, ...]
    """Model formats that it reads; see `ModelEntry.format`."""
    libraries: tuple[EngineLibrary, ...]
    """Libraries that it can use, the preferred one first."""
    load: Callable[[], EngineFactory]
    """Imports it; raises `ModuleNotFoundError` if no library is installed, or `EngineError`."""
    extra: str = ""
    """Extra of edge-vc-runtime that installs it; empty for an engine from another distribution."""
    remedy: str = ""
    """What to do if it is missing; by default the pip command for ``extra``."""
    wheels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Exact versions, by distribution, of its dependencies besides numpy, by Python (``3.11``)."""
    tried: bool = True
    """Whether an unknown model is first opened in a process with limits on memory and time; False
    for an engine that needs minutes or gigabytes to open any model."""
    op_times: OpProfiler | None = None
    op_method: str = ""
    """How `op_times` measures, appended to the table's title."""
    op_missing: str = ""
    """Why `op_times` may return None, in one line."""
    preference: int = 100
    """Rank among the engines of this package if nothing else decides, lowest first."""
    precisions: tuple[str, ...] = ()
    """Precisions of models that it runs; empty: all."""
    only_measured: bool = False
    """Whether ``auto`` selects it only if it was measured here and was the fastest, and then in
    preference to the board profile's engine."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", self.name) or self.name == "auto":
            raise ValueError(f"an engine cannot be called {self.name!r:.60}")
        if not self.formats:
            raise ValueError(f"engine {self.name}: formats is empty, it has to name at least one")
        if not self.extra and not self.remedy:
            raise ValueError(f"engine {self.name}: give an extra, or a remedy where it is missing")

    def reads(self, model: ModelEntry) -> bool:
        """Return whether it runs a model, by format and precision."""
        return model.format in self.formats and model.precision in (
            self.precisions or (model.precision,)
        )

    def installed(self) -> tuple[LibraryVersion, ...]:
        """Return the installed libraries with their versions, without importing one."""
        found = ((each.name, each.find_version(each.name)) for each in self.libraries)
        return tuple(LibraryVersion(name, version) for name, version in found if version)

    @property
    def absent_by_choice(self) -> bool:
        """Whether it is missing but not needed: ``auto`` would use other engines anyway."""
        return self.only_measured and not self.installed()

    def missing(self, module: str | None) -> str:
        """Return why it cannot be loaded without ``module`` and what to do, in one line."""
        remedy = self.remedy or f"pip install 'edge-vc-runtime[{self.extra}]'"
        return f"engine {self.name} needs {module}, which is not installed: {remedy}"
