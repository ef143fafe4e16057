"""Duplicate recordings: whole files by content, pieces by fingerprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge_vc.audio.fingerprint import find_matches
from edge_vc.prepare.record import Piece, PrepareRecord

EXACT, NEAR = "exact duplicate", "near duplicate"


def without_duplicates(records: Sequence[PrepareRecord], agreement: float) -> list[PrepareRecord]:
    """Return the records with every later copy dropped; the first one is kept.

    Exact copies decode to the same samples. Near copies agree in a share ``agreement`` of their
    fingerprint's bits, regardless of format, level or cut; 1 disables the search for them.
    """
    records = _without_copies(records)
    return _without_near(records, agreement) if agreement < 1 else records


def _without_copies(records: Sequence[PrepareRecord]) -> list[PrepareRecord]:
    first: dict[str, str] = {}
    kept = []
    for record in records:
        original = first.setdefault(record.content, record.source) if record.content else ""
        if original and original != record.source:
            pieces = (_dropped(p, EXACT, f"the same samples as {original}") for p in record.pieces)
            record = replace(record, pieces=tuple(pieces))
        kept.append(record)
    return kept


def _without_near(records: list[PrepareRecord], agreement: float) -> list[PrepareRecord]:
    places = [
        (r, p)
        for r, record in enumerate(records)
        for p, piece in enumerate(record.pieces)
        if piece.path
    ]
    prints = [records[r].pieces[p].fingerprint() for r, p in places]
    pieces = [list(record.pieces) for record in records]
    for match in find_matches(prints, agreement):
        r, p = places[match.index]
        original, q = places[match.original]
        start = records[original].pieces[q].start
        alike = f"{match.agreement:.0%} of the bits of {records[original].source} at {start:.1f} s"
        pieces[r][p] = _dropped(pieces[r][p], NEAR, alike)
    return [replace(record, pieces=tuple(new)) for record, new in zip(records, pieces, strict=True)]


def _dropped(piece: Piece, reason: str, detail: str) -> Piece:
    # Pieces dropped earlier keep their own reason.
    return replace(piece, path="", reason=reason, detail=detail) if piece.path else piece
