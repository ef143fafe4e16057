"""Definition of a metric: name, presentation, and computation for a recording."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from importlib.util import find_spec

from edge_vc.evaluate.metrics.recording import Recording

HEADLINE = 4
"""Metrics up to this rank are also shown by speaker, by sex and with each sentence's player."""
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Counts:
    """Errors and total count; they are summed over sentences before the division."""

    errors: int
    total: int


Value = float | Counts | None
"""Value of a metric for one sentence; None if it cannot be measured."""


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """How a metric is shown; saved with every report, so that any reader can show it.

    Raises `ValueError` for an invalid key or direction and for texts too long for tables.
    """

    key: str
    """Name in reports: lower-case letters, digits and underscores."""
    title: str
    """Name in tables, up to 40 characters."""
    unit: str = ""
    better: int = 1
    """1 if higher is better, -1 if lower is better, 0 if neither."""
    description: str = ""
    """One sentence with the paper that the metric follows."""
    digits: int = 3
    """Decimals to show."""
    rank: int = HEADLINE - 1
    """Priority when there is room for few columns, 1 first; see `HEADLINE`."""

    def __post_init__(self) -> None:
        rules = (
            ("key", _KEY.fullmatch(self.key), "lower-case letters, digits, _; up to 40"),
            ("title", 0 < len(self.title) <= 40, "1 to 40 characters"),
            ("unit", len(self.unit) <= 20, "up to 20 characters"),
            ("better", self.better in (-1, 0, 1), "-1, 0 or 1"),
            ("description", len(self.description) <= 1000, "up to 1000 characters"),
            ("digits", 0 <= self.digits <= 6, "0 to 6"),
            ("rank", 1 <= self.rank <= 1000, "1 to 1000"),
        )
        for name, met, rule in rules:
            if not met:
                value = getattr(self, name)
                raise ValueError(f"metric {self.key!r:.60}: {name} is {value!r:.60}; give {rule}")

    @property
    def info(self) -> MetricInfo:
        """Information about the metric that is saved in a report."""
        return MetricInfo(**{field.name: getattr(self, field.name) for field in fields(MetricInfo)})


@dataclass(frozen=True, kw_only=True)
class Metric(MetricInfo):
    """A metric of one system's output."""

    compute: Callable[[Recording], Value]
    """Called once per sentence. Must be a module-level function for several processes."""
    relative: bool = False
    """Whether values are divided by those of the source recordings."""
    needs: tuple[str, ...] = ()
    """Modules of optional packages; if one is missing, the metric is left out of evaluations."""
    extra: str = ""
    """The extra that contains them."""
    install: str = ""
    """Arguments of ``pip install`` for them if no extra contains them."""

    @property
    def missing(self) -> str:
        """The command that installs missing packages; empty if none is missing."""
        if all(find_spec(module) for module in self.needs):
            return ""
        wanted = self.install or f"'edge-vc[{self.extra}]'"
        return f"pip install {wanted}"


@dataclass(frozen=True, kw_only=True)
class IntrusiveMetric(MetricInfo):
    """A metric of one system's output against another system's output for the same sentence."""

    compute: Callable[[Recording, Recording], Value]
    """Called with the reference and the output to compare with it."""


AnyMetric = Metric | IntrusiveMetric
