"""Which phones get lost: per phone and system, how often it was not heard and what was instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_vc.evaluate.report.report import EvaluationReport, SystemScore

NOTHING = "-"
"""Stands for no phone, in the sentences' pairs and in tables."""
FEWEST = 8
"""Occurrences below which a phone's rate says nothing."""
MOST_PHONES = 12


@dataclass
class PhoneCount:
    """One phone in all sentences of a system."""

    said: int = 0
    heard_as: Counter[str] = field(default_factory=Counter)
    """What was heard in its place, where that was wrong; `NOTHING` where it was lost."""

    @property
    def rate(self) -> float:
        """Share of its occurrences that were not heard."""
        return self.heard_as.total() / self.said if self.said else 0.0

    def shares(self, most: int = 3) -> list[tuple[str, float]]:
        """Return what was heard instead, the most frequent first, as shares of what was said."""
        return [(heard, count / self.said) for heard, count in self.heard_as.most_common(most)]

    @property
    def text(self) -> str:
        """The rate in per cent and the most frequent confusion."""
        common = self.heard_as.most_common(1)
        return f"{self.rate:.0%}" + (f" {common[0][0]}" if common else "")


def phone_counts(score: SystemScore) -> dict[str, PhoneCount]:
    """Count every phone of a system's sentences; none where phones were not measured."""
    counts: dict[str, PhoneCount] = {}
    for sentence in score.sentences:
        for pair in (sentence.phones or "").split(" "):
            said, arrow, heard = pair.partition(">")
            if not arrow or said == NOTHING:
                continue
            count = counts.setdefault(said, PhoneCount())
            count.said += 1
            if heard != said:
                count.heard_as[heard] += 1
    return counts


def worst_phones(
    report: EvaluationReport, most: int = MOST_PHONES
) -> tuple[list[str], Mapping[str, Mapping[str, PhoneCount]]]:
    """Return the phones that systems lose most often, the worst first, and all counts by system.

    By the highest rate of any system; phones said fewer than `FEWEST` times are left out.
    """
    counts = {name: phone_counts(score) for name, score in report.systems.items()}
    rates: dict[str, float] = {}
    for system in counts.values():
        for phone, count in system.items():
            if count.said >= FEWEST:
                rates[phone] = max(rates.get(phone, 0.0), count.rate)
    ordered = sorted(rates, key=lambda phone: (-rates[phone], phone))
    return ordered[:most], counts
