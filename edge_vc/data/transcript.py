"""Words of a sentence and the edit distance between what was said and what was heard."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?")


def words_of(text: str) -> list[str]:
    """Return the lower-case words of an English text; hyphens and punctuation separate.

    Apostrophes inside or after a word stay (``i'm``, ``speakers'``), since the pronouncing
    dictionary spells them so.
    """
    return _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def edit_distance(
    said: Sequence[str], heard: Sequence[str], free: frozenset[str] = frozenset()
) -> int:
    """Return the least number of substitutions, deletions and insertions (Levenshtein 1966).

    Tokens of ``said`` in ``free`` may be heard as any one token, or as nothing, at no cost:
    what a recogniser has no word for says nothing about the speech.
    """
    row = list(range(len(heard) + 1))
    for token in said:
        price = 0 if token in free else 1
        diagonal, row[0] = row[0], row[0] + price
        for index, other in enumerate(heard, start=1):
            swap = diagonal + (price if token != other else 0)
            diagonal = row[index]
            row[index] = min(swap, row[index] + price, row[index - 1] + 1)
    return row[-1]


def aligned(said: Sequence[str], heard: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs of said and heard tokens with the least number of edits.

    One side is empty where a token was lost or added.
    """
    rows = [list(range(len(heard) + 1))]
    for token in said:
        above = rows[-1]
        row = [above[0] + 1]
        for index, other in enumerate(heard, start=1):
            swap = above[index - 1] + (token != other)
            row.append(min(swap, above[index] + 1, row[index - 1] + 1))
        rows.append(row)
    pairs = []
    i, j = len(said), len(heard)
    while i or j:
        here = rows[i][j]
        if i and j and here == rows[i - 1][j - 1] + (said[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((said[i], heard[j]))
        elif i and here == rows[i - 1][j] + 1:
            i -= 1
            pairs.append((said[i], ""))
        else:
            j -= 1
            pairs.append(("", heard[j]))
    return pairs[::-1]
