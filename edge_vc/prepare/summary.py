"""Summary of the kept and dropped pieces, as tables for a terminal and as JSON."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from edge_vc.prepare.preparation import Prepared
from edge_vc.prepare.record import Piece
from edge_vc.prepare.settings import PrepareSettings
from edge_vc_runtime.message import printable

_STYLE: dict[str, Any] = {
    "title_justify": "left", "box": box.SIMPLE_HEAD, "padding": (0, 1, 0, 0), "pad_edge": False,
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A row for one speaker, or for all of them."""

    name: str
    side: str
    pieces: int
    minutes: float
    level_before_db: float
    """Medians over the pieces, here and below."""
    level_after_db: float
    snr_before_db: float
    snr_after_db: float
    speech_share: float
    dropped: int


def speaker_rows(prepared: Prepared) -> list[Row]:
    """Return a row per speaker, the one with the most speech first."""
    pieces: dict[str, list[Piece]] = defaultdict(list)
    for task, piece in prepared.kept:
        pieces[task.utterance.speaker].append(piece)
    speaker_of = {task.source: task.utterance.speaker for task in prepared.plan.tasks}
    dropped = Counter(speaker_of.get(drop.source, "") for drop in prepared.drops)
    rows = [
        _row(name, prepared.plan.sides.get(name, ""), pieces[name], dropped[name])
        for name in prepared.plan.sides
    ]
    return sorted(rows, key=lambda row: (-row.minutes, row.name))


def total_row(prepared: Prepared) -> Row:
    """Return the row for all speakers together."""
    return _row("all", "", [piece for _, piece in prepared.kept], len(prepared.drops))


def as_json(prepared: Prepared, settings: PrepareSettings) -> str:
    """Return settings, totals, speakers and drops as text for ``prepare.json``."""
    report: dict[str, Any] = {
        "settings": settings.as_dict(),
        "recordings": len(prepared.plan.tasks) + len(prepared.plan.drops),
        "recorded_minutes": round(prepared.plan.seconds / 60, 2),
        "total": vars(total_row(prepared)),
        "speakers": [vars(row) for row in speaker_rows(prepared)],
        "dropped": _reasons(prepared),
    }
    return json.dumps(_finite(report), indent=1, ensure_ascii=False) + "\n"


def speaker_table(prepared: Prepared, most: int = 20) -> Table:
    """Return a table of the ``most`` speakers with the most speech, and the totals."""
    table = Table(title="Prepared speech", **_STYLE)
    table.add_column("speaker", min_width=12, overflow="fold")
    table.add_column("split", no_wrap=True)
    for name in ("pieces", "minutes", "dropped", "dBFS", "SNR dB", "speech"):
        table.add_column(name, justify="right", no_wrap=True)
    rows = speaker_rows(prepared)
    for row in rows[:most]:
        table.add_row(*_cells(row))
    if len(rows) > most:
        table.add_row(f"and {len(rows) - most} more", *[""] * 7)
    table.add_section()
    table.add_row(*_cells(total_row(prepared)), style="bold")
    return table


def drop_table(prepared: Prepared) -> Table:
    """Return a table of the reasons why pieces were left out, with one example each."""
    table = Table(title="Dropped", **_STYLE)
    for name, justify in (("reason", "left"), ("count", "right"), ("minutes", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("for example", overflow="fold")
    for reason, facts in _reasons(prepared).items():
        table.add_row(
            reason, str(facts["count"]), f"{facts['minutes']:.1f}", escape(facts["example"])
        )
    return table


def _reasons(prepared: Prepared) -> dict[str, dict[str, Any]]:
    drops = defaultdict(list)
    for drop in prepared.drops:
        drops[drop.reason].append(drop)
    return {
        reason: {
            "count": len(same),
            "minutes": round(sum(drop.seconds for drop in same) / 60, 2),
            "example": printable(f"{same[0].source}: {same[0].detail}"),
        }
        for reason, same in sorted(drops.items(), key=lambda item: -len(item[1]))
    }


def _row(name: str, side: str, pieces: Sequence[Piece], dropped: int) -> Row:
    return Row(
        name,
        side,
        len(pieces),
        round(sum(piece.seconds for piece in pieces) / 60, 2),
        _median(piece.level_before_db for piece in pieces),
        _median(piece.level_after_db for piece in pieces),
        _median(piece.snr_before_db for piece in pieces),
        _median(piece.snr_after_db for piece in pieces),
        _median(piece.speech_share for piece in pieces),
        dropped,
    )


def _median(values: Iterable[float]) -> float:
    known = np.array([value for value in values if np.isfinite(value)])
    return round(float(np.median(known)), 2) if known.size else float("nan")


def _cells(row: Row) -> list[str]:
    return [
        escape(printable(row.name)),
        row.side,
        str(row.pieces),
        f"{row.minutes:.1f}",
        str(row.dropped),
        _change(row.level_before_db, row.level_after_db),
        _change(row.snr_before_db, row.snr_after_db),
        "" if np.isnan(row.speech_share) else f"{row.speech_share:.0%}",
    ]


def _change(before: float, after: float) -> str:
    return "" if np.isnan(before) else f"{before:.0f} → {after:.0f}"


def _finite(value: Any) -> Any:
    """Replace NaN, which JSON cannot represent, by null."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and np.isnan(value) else value
