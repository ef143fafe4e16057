"""The status of a running conversion in one line of a given width."""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc_runtime.live.snapshot import LiveSnapshot
from edge_vc_runtime.message import one_line

_FLOOR_DB = -60.0
_WIDE = 110  # columns from which on the meters are long
_LONGEST_NAME = 16


@dataclass(frozen=True)
class _Segment:
    text: str
    rank: int
    """Priority in a narrow line, lowest first."""
    alarm: bool = False


def status_line(
    snapshot: LiveSnapshot, width: int, blocks: bool = True, colour: bool = False
) -> str:
    """Return the line, at most ``width`` columns, with the most important parts if it is narrow.

    ``blocks`` draws the meters with block characters, otherwise with ASCII; ``colour`` marks
    problems in red by ANSI codes, which take no columns.
    """
    kept = _fit(_segments(snapshot, 10 if width >= _WIDE else 5, blocks), width)
    return " ".join(_red(part.text) if part.alarm and colour else part.text for part in kept)


def level_bar(level_db: float, cells: int, blocks: bool = True) -> str:
    """Return a meter from -60 to 0 dBFS."""
    share = min(1 - level_db / _FLOOR_DB, 1.0) if level_db > _FLOOR_DB else 0.0  # NaN too
    full = round(share * cells)
    return ("█" if blocks else "#") * full + ("░" if blocks else ".") * (cells - full)


def _segments(now: LiveSnapshot, cells: int, blocks: bool) -> list[_Segment]:
    tier = one_line(now.tier)[:_LONGEST_NAME]
    segments = [
        _Segment(_clock(now.seconds), 4),
        _Segment(_meter("in", now.input_db, cells, blocks), 2),
        _Segment(_meter("out", now.output_db, cells, blocks), 1),
        _Segment(f"delay {_number(now.delay.total_ms, 3, 0)} ms", 0),
        _Segment(f"xruns {now.xruns}", 0, now.xruns > 0),
        _Segment(f"p50/p99 {_number(now.p50_ms, 4, 1)}/{_number(now.tail_ms, 4, 1)} ms", 3),
        _Segment(f"RTF {_number(now.load, 4, 2)}", 7, (now.rtf or 0) > 1),
        _Segment(f"late {now.late}", 8, now.late > 0),
        _Segment("bypass" if now.bypassed else tier, 5, now.bypassed),
        _Segment("gate open" if now.gate_open else "gate shut", 6),
    ]
    if now.temperature_c is not None:
        segments.append(_Segment(f"{now.temperature_c:.0f} C", 9, _is_throttled(now)))
    if now.state != "running":
        segments.insert(0, _Segment(_STATES[now.state], -1, now.state == "waiting"))
    return segments


_STATES = {"starting": "starting", "waiting": "device gone", "stopped": "stopped", "running": ""}


def _fit(segments: list[_Segment], width: int) -> list[_Segment]:
    """Return the segments that fit, selected by rank, in display order."""
    room = width + 1
    kept: set[_Segment] = set()
    for segment in sorted(segments, key=lambda part: part.rank):
        if len(segment.text) + 1 <= room:
            kept.add(segment)
            room -= len(segment.text) + 1
    return [segment for segment in segments if segment in kept]


def _meter(name: str, level_db: float, cells: int, blocks: bool) -> str:
    return f"{name} {level_bar(level_db, cells, blocks)} {max(level_db, -99.0):3.0f}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _number(value: float | None, width: int, digits: int) -> str:
    return "-".rjust(width) if value is None else f"{value:{width}.{digits}f}"


def _is_throttled(now: LiveSnapshot) -> bool:
    return now.throttled not in (None, "0", "0x0")


def _red(text: str) -> str:
    return f"\x1b[31m{text}\x1b[39m"
