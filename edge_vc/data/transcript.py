"""The words of a sentence, and the edit distance between spoken and recognised words."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?")


def words_of(text: str) -> list[str]:
    """Return the lower-case words of an English text; hyphens and punctuation separate words.

    Apostrophes inside or after a word are kept (``i'm``, ``speakers'``), as in the pronouncing
    dictionary.
    """
    return _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))


def edit_distance(
    said: Sequence[str], heard: Sequence[str], free: frozenset[str] = frozenset()
) -> int:
    """Return the least number of substitutions, deletions and insertions (Levenshtein 1966).

    Tokens of ``said`` in ``free`` match any one token, or none, at no cost: a word that a
    recogniser does not know says nothing about the speech.
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
    """Return pairs of said and heard tokens with the fewest edits.

    One side is empty where a token was deleted or inserted.
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
