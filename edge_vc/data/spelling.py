"""Spells out numbers and abbreviations in English text as they are spoken."""

from __future__ import annotations

import re

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth"}
_ORDINALS |= {"nine": "ninth", "twelve": "twelfth"}
_TITLES = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "&": "and"}
_TITLE = re.compile(r"\b(mr|mrs|dr|st)\b\.?|&", re.IGNORECASE)
_NUMBER = re.compile(r"(\d+)(st|nd|rd|th)?\b", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
LARGEST = 999_999
"""Larger numbers are read digit by digit."""


def spelled_out(text: str) -> str:
    """Return ``text`` with whole numbers, ordinals and a few abbreviations as words."""
    text = _TITLE.sub(lambda found: _TITLES[found[0].lower().rstrip(".")], text)
    return _NUMBER.sub(_spoken, _THOUSANDS.sub("", text))


def number_words(number: int) -> list[str]:
    """Return the words of a number from 0 to `LARGEST`."""
    if number < 20:
        return [_ONES[number]]
    if number < 100:
        return [_TENS[number // 10], *(_tail(number % 10))]
    if number < 1000:
        return [_ONES[number // 100], "hundred", *_tail(number % 100)]
    return [*number_words(number // 1000), "thousand", *_tail(number % 1000)]


def _tail(number: int) -> list[str]:
    return number_words(number) if number else []


def _spoken(found: re.Match[str]) -> str:
    digits, ending = found[1], found[2]
    if len(digits) > 6:
        return " ".join(_ONES[int(digit)] for digit in digits)
    number = int(digits)
    if 1100 <= number < 2000 and not ending:  # most often a year
        last = number_words(number % 100) if number % 100 else ["hundred"]
        return " ".join([*number_words(number // 100), *last])
    words = number_words(number)
    if ending:
        last_word = words[-1]
        regular = last_word[:-1] + "ieth" if last_word.endswith("y") else last_word + "th"
        words[-1] = _ORDINALS.get(last_word, regular)
    return " ".join(words)
