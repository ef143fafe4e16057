"""A loss as a weighted sum of named terms.

The terms of a loss are a mapping from names to functions; the weight of a term is the field of that
name in the training settings. To add a term: write the function, add it to the mapping, and add the
field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from torch import Tensor

S = TypeVar("S")


class NoTermError(ValueError):
    """A loss without any term: every weight is 0, or no term applies to the step."""


Term = Callable[[S], Tensor | None]
"""Maps the state of a training step to a scalar; None if the term does not apply to the step."""


def weighted_sum(
    terms: Mapping[str, Term[S]], weights: object, step: S
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the sum of weight times term, and the value of each term, unweighted and detached.

    ``weights`` has a number for each name in ``terms``; a term whose weight is 0 is not computed.
    Raises `ValueError` for a term without a weight, `NoTermError` if no term applies.
    """
    total: Tensor | None = None
    values: dict[str, Tensor] = {}
    for name, term in terms.items():
        weight = _weight(weights, name)
        value = term(step) if weight else None
        if value is None:
            continue
        total = weight * value if total is None else total + weight * value
        values[name] = value.detach()
    if total is None:
        raise NoTermError(f"no loss term applies: the weights of {', '.join(terms)} are all 0")
    return total, values


def _weight(weights: object, name: str) -> float:
    try:
        return float(getattr(weights, name))
    except AttributeError:
        kind = type(weights).__name__
        raise ValueError(f"loss term {name!r} has no weight; add a field to {kind}") from None
