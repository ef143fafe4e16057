"""The result of a label job: one row per recording, counts, delays; as JSON and as a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any

from edge_vc.data.utterance import Utterance
from edge_vc.labelling.delay import SURE
from edge_vc.labelling.folder import REPORT, LabelFolder, LabelFolderError, TeacherRecord
from edge_vc.labelling.long_recording import PartKey
from edge_vc.labelling.task import FAILED, KEPT, LEFT_OUT, LabelOutcome
from edge_vc_runtime.message import one_line

VERSION = 2


@dataclass(frozen=True)
class LabelledRow:
    """The outcome of one recording, or of a part of a long one, at one speed."""

    utterance: Utterance
    speed: float
    outcome: LabelOutcome
    part: tuple[float, float] | None = None
    """Start and end of the part of a long recording, seconds at that speed; None: the whole."""

    @property
    def seconds(self) -> float:
        """Labelled seconds."""
        if self.part:
            return self.part[1] - self.part[0]
        return self.utterance.seconds / self.speed

    @property
    def where(self) -> str:
        """The recording, and the part of it."""
        part = f" at {self.part[0]:g} s" if self.part else ""
        return f"{self.utterance.path}{part}"

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain values."""
        recording = asdict(self.utterance) | {"path": str(self.utterance.path)}
        facts = asdict(self.outcome)
        del facts["content"]
        part = {"part": list(self.part)} if self.part else {}
        return {"recording": recording, "speed": self.speed, **part, **facts}


@dataclass(frozen=True)
class LabelReport:
    """A finished or interrupted job."""

    teacher: TeacherRecord
    rows: tuple[LabelledRow, ...]
    wanted: int
    """Requested recordings, and parts of long ones; more than rows if the job was interrupted."""
    unmatched: tuple[str, ...] = ()
    """Files of a pairs folder without their other half."""

    def of(self, status: str) -> list[LabelledRow]:
        """Return the rows with a status."""
        return [row for row in self.rows if row.outcome.status == status]

    @property
    def kept(self) -> list[LabelledRow]:
        """Return the rows that have labels."""
        return self.of(KEPT)

    @property
    def dropped(self) -> list[LabelledRow]:
        """Return the rows without labels: outliers and failures."""
        return [*self.of(LEFT_OUT), *self.of(FAILED)]

    @property
    def reasons(self) -> dict[str, int]:
        """Return the number of rows without labels, by reason."""
        return dict(Counter(row.outcome.reason for row in self.dropped))

    def delay(self) -> dict[str, float | int | None]:
        """Return statistics of the delays, in ms; None if no estimate was trusted."""
        outcomes = [row.outcome for row in self.kept]
        sure = [
            o.delay_ms for o in outcomes if (o.correlation or 0) >= SURE and o.delay_ms is not None
        ]
        middle = median(sure) if sure else None
        spread = median(abs(ms - middle) for ms in sure) if middle is not None else None
        return {
            "common_ms": self.teacher.common_ms,
            "median_ms": middle,
            "median_deviation_ms": spread,
            "sure": len(sure),
            "undone": sum(1 for o in outcomes if o.undone_ms),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {
            "version": VERSION,
            "complete": len(self.rows) == self.wanted,
            "teacher": asdict(self.teacher),
            "wanted": self.wanted,
            "kept": len(self.kept),
            "seconds_kept": sum(row.seconds for row in self.kept),
            "dropped": self.reasons,
            "delay": self.delay(),
            "unmatched": list(self.unmatched),
            "rows": [row.to_dict() for row in self.rows],
        }

    def to_table(self) -> str:
        """Return the summary and every recording without labels as Markdown."""
        facts = self.to_dict()
        delay = ", ".join(f"{key} {_short(value)}" for key, value in facts["delay"].items())
        lines = [
            "# Labels",
            "",
            f"{facts['kept']} of {self.wanted} kept, {facts['seconds_kept'] / 60:.1f} minutes.",
            f"Delay of the outputs: {delay}.",
        ]
        if self.dropped:
            lines += ["", "| recording | speed | left out because | fact |", "|---|---|---|---|"]
            lines += [_table_row(row) for row in self.dropped]
        if self.unmatched:
            lines += ["", "Files without their other half:", ""]
            lines += [f"- {one_line(name)}" for name in self.unmatched]
        return "\n".join(lines) + "\n"


def load_report(folder: Path) -> LabelReport:
    """Read the report of a label folder; raises `LabelFolderError` if there is no valid one.

    The labels of every kept row are intact.
    """
    path = folder / REPORT
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["version"] != VERSION:
            raise LabelFolderError(
                f"{path}: is of version {values['version']}, not {VERSION}; the same edge-vc label "
                "again renews it"
            )
        rows = tuple(_row(entry) for entry in values["rows"])
        record = TeacherRecord(**values["teacher"])
        report = LabelReport(record, rows, values["wanted"], tuple(values["unmatched"]))
    except OSError as error:
        raise LabelFolderError(
            f"{folder}: holds no {REPORT}; make it with edge-vc label CORPUS -o {folder}"
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        if isinstance(error, LabelFolderError):
            raise
        raise LabelFolderError(f"{path}: is damaged ({error})") from error
    for row in report.kept:
        if not LabelFolder(folder).holds(row.outcome):
            raise LabelFolderError(
                f"{folder}: the labels of {row.utterance.utt_id} are missing or damaged; the same "
                "edge-vc label again makes them anew"
            )
    return report


def _row(entry: dict[str, Any]) -> LabelledRow:
    recording = entry["recording"] | {"path": Path(entry["recording"]["path"])}
    names = {field.name for field in fields(LabelOutcome)} - {"content"}
    outcome = LabelOutcome(**{name: entry[name] for name in names})
    if not outcome.key.isalnum():
        raise ValueError(f"key {outcome.key!r}")
    part = entry.get("part")
    span = (float(part[0]), float(part[1])) if part else None
    return LabelledRow(Utterance(**recording), float(entry["speed"]), outcome, span)


def _table_row(row: LabelledRow) -> str:
    where, fact = (one_line(str(text)).replace("|", "/") for text in (row.where, row.outcome.fact))
    return f"| {where} | {row.speed:g} | {row.outcome.reason} | {fact} |"


def _short(value: float | int | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def rows_in_order(
    recordings: Sequence[tuple[Utterance, float]],
    keys: dict[int, str],
    parts: dict[str, list[PartKey]],
    found: dict[str, LabelOutcome],
) -> tuple[LabelledRow, ...]:
    """Return the rows of all recordings with a known outcome, in the order of ``recordings``.

    ``parts`` are those of long recordings, by their keys.
    """
    rows = []
    for index, (utterance, speed) in enumerate(recordings):
        key = keys.get(index, "")
        if key in found:
            rows.append(LabelledRow(utterance, speed, found[key]))
        rows += [
            LabelledRow(utterance, speed, found[part.key], (part.start, part.stop))
            for part in parts.get(key, [])
            if part.key in found
        ]
    return tuple(rows)
