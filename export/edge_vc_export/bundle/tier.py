"""The tier of a student: which board's cache its weights fit into."""

from __future__ import annotations

TIER_WEIGHTS = {"nano": 400_000, "base": 800_000}
"""Most INT8 weights of a tier; beyond the last it is `wide` or `clear`."""


def tier_of(weights: int, lookahead: int = 0) -> str:
    """Return the smallest tier that so many INT8 weights of a trunk fit into.

    ``lookahead`` in hops tells the two beyond the last: `clear` waits, `wide` does not.
    """
    beyond = "clear" if lookahead else "wide"
    return next((tier for tier, most in TIER_WEIGHTS.items() if weights <= most), beyond)
