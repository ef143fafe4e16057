"""Convert reports of schema 2, which had one field per metric, to schema 3.

Condensed reports (``benchmarks/voice.py``) contain only the number of sentences.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from edge_vc.evaluate.metrics.registry import METRICS
from edge_vc_runtime.schema.fields import Fields

_METRICS = (
    "similarity", "word_error_rate", "word_error_ratio", "character_error_rate",
    "character_error_ratio", "dnsmos", "dnsmos_signal", "dnsmos_background", "f0_correlation",
    "f0_error", "f0_shift", "mcd_db", "f0_hz",
)  # fmt: skip
_INTRUSIVE = ("stoi", "pesq", "snr_db", "lsd_db")
_MOST = 10_000
"""Entries of a list; the reader's own limits come afterwards."""

Json = dict[str, Any]


def upgraded(value: dict[str, object]) -> Json:
    """Return parsed JSON of schema 2 as JSON of schema 3, for the reader to check.

    Raises `FieldError` for missing fields and for values of the wrong type.
    """
    fields = Fields(value)
    condensed = "sentence_count" in value
    sentences = [] if condensed else fields.items("sentences", _MOST)
    noisy = fields.child("noisy")
    found = {
        "schema": 3,
        "metrics": [asdict(METRICS[key].info) for key in _METRICS],
        "intrusive_metrics": [asdict(METRICS[key].info) for key in _INTRUSIVE],
        "sentences": sentences,
        "sentence_count": fields.take("sentence_count") if condensed else len(sentences),
        "topline": _system(fields.child("ceiling"), condensed),
        "systems": _systems(fields.child("contenders"), condensed),
        "noisy": {name: _systems(noisy.child(name), condensed) for name in noisy.names()},
        "comparisons": [
            _comparison(pair, condensed) for pair in fields.children("comparisons", _MOST)
        ],
        "audio": None if condensed else fields.take("audio"),
    }
    fields.take("schema")
    return fields.rest() | found


def _systems(fields: Fields, condensed: bool) -> Json:
    return {name: _system(fields.child(name), condensed) for name in fields.names()}


def _system(fields: Fields, condensed: bool) -> Json:
    if condensed:
        return _without_sentences(fields)
    sentences = [_sentence(one) for one in fields.children("sentences", _MOST)]
    return fields.rest() | {"sentences": sentences}


def _comparison(fields: Fields, condensed: bool) -> Json:
    if condensed:
        return _without_sentences(fields)
    sentences = [
        {
            "scores": {key: one.take(key) for key in _INTRUSIVE},
            "transcript": None,
            **one.rest(),
        }
        for one in fields.children("sentences", _MOST)
    ]
    return fields.rest() | {"sentences": sentences}


def _sentence(fields: Fields) -> Json:
    asr = fields.optional("hearing", Fields.rest)
    opinion = fields.optional("naturalness", Fields.rest) or {}
    scores = {
        key: fields.take(key)
        for key in ("similarity", "f0_correlation", "f0_hz", "f0_shift", "mcd_db")
    }
    shift = scores["f0_shift"]
    words, characters = _counts(asr, "word"), _counts(asr, "character")
    return {
        "scores": scores
        | {
            "f0_error": abs(shift) if isinstance(shift, int | float) else shift,
            "word_error_rate": words,
            "word_error_ratio": words,
            "character_error_rate": characters,
            "character_error_ratio": characters,
            "dnsmos": opinion.get("overall"),
            "dnsmos_signal": opinion.get("signal"),
            "dnsmos_background": opinion.get("background"),
        },
        "transcript": None if asr is None else asr.get("heard"),
        **fields.rest(),
    }


def _counts(asr: Json | None, unit: str) -> Json | None:
    return asr and {"errors": asr.get(f"{unit}_errors"), "total": asr.get(f"{unit}s")}


def _without_sentences(fields: Fields) -> Json:
    """Return a condensed score, whose estimates do not state their number of sentences."""
    groups = {
        key: {name: _uncounted(one) for name, one in fields.child(key).rest().items()}
        for key in ("speakers", "sexes")
    }
    scores = {
        key: _uncounted(fields.take(key))
        for key in ("overall", "deltas", "since_clean")
        if key in fields.names()
    }
    return fields.rest() | groups | scores | {"sentences": []}


def _uncounted(score: object) -> object:
    if not isinstance(score, dict):
        return score
    return {
        key: {**estimate, "sentences": None} if isinstance(estimate, dict) else estimate
        for key, estimate in score.items()
    }
