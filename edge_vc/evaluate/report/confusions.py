"""Phone confusions: how often each phone is misrecognised per system, and as what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_vc.evaluate.report.report import EvaluationReport, SystemScore

NOTHING = "-"
"""Marks a missing phone, in the sentences' pairs and in tables."""
FEWEST = 8
"""Least number of occurrences for a phone's rate to be meaningful."""
MOST_PHONES = 12


@dataclass
class PhoneCount:
    """Counts of one phone in all sentences of a system."""

    said: int = 0
    heard_as: Counter[str] = field(default_factory=Counter)
    """Phones recognised instead, when wrong; `NOTHING` if it was deleted."""

    @property
    def rate(self) -> float:
        """Share of its occurrences that were not recognised."""
        return self.heard_as.total() / self.said if self.said else 0.0

    def shares(self, most: int = 3) -> list[tuple[str, float]]:
        """Return the phones recognised instead as shares of ``said``, most frequent first."""
        return [(heard, count / self.said) for heard, count in self.heard_as.most_common(most)]

    @property
    def text(self) -> str:
        """The rate in per cent and the most frequent confusion."""
        common = self.heard_as.most_common(1)
        return f"{self.rate:.0%}" + (f" {common[0][0]}" if common else "")


def phone_counts(score: SystemScore) -> dict[str, PhoneCount]:
    """Count every phone of a system's sentences; empty if phones were not measured."""
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
    """Return the phones most often misrecognised, the worst first, and all counts by system.

    Ranked by the highest rate of any system; phones occurring fewer than `FEWEST` times are left
    out.
    """
    counts = {name: phone_counts(score) for name, score in report.systems.items()}
    rates: dict[str, float] = {}
    for system in counts.values():
        for phone, count in system.items():
            if count.said >= FEWEST:
                rates[phone] = max(rates.get(phone, 0.0), count.rate)
    ordered = sorted(rates, key=lambda phone: (-rates[phone], phone))
    return ordered[:most], counts
