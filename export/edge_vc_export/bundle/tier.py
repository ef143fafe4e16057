"""Tier of a student: the class of board whose cache its weights fit into."""

from __future__ import annotations

TIER_WEIGHTS = {"nano": 400_000, "base": 800_000}
"""Largest number of INT8 weights of a tier; beyond the last it is `wide` or `clear`."""


def tier_of(weights: int, lookahead: int = 0) -> str:
    """Return the smallest tier that a trunk with ``weights`` INT8 weights fits into.

    ``lookahead`` in hops distinguishes the two largest: `clear` has look-ahead, `wide` has none.
    """
    beyond = "clear" if lookahead else "wide"
    return next((tier for tier, most in TIER_WEIGHTS.items() if weights <= most), beyond)
