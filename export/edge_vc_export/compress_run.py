"""The parts of a run folder of ``edge-vc compress`` that export reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_vc_export.errors import ExportError

SUMMARY = "run.json"
STUDENT = "student.safetensors"
FLOAT_STAGES = ("distill", "prune")
"""Stages that produce a float student, the last one first."""
INT8_STAGES = ("quantize", "calibrate")
"""Stages that produce a quantised student, the last one first."""
_STATES = {
    "stopped": "a limit stopped the run",
    "interrupted": "the run was interrupted",
    "partial": "the run ended before its last stage",
    "running": "the run was killed, or is still going on",
}


@dataclass(frozen=True)
class CompressRun:
    """Content of a run's ``run.json``."""

    folder: Path
    status: str
    """``finished``, or why not: ``stopped``, ``interrupted``, ``partial``, ``running``."""
    reason: str
    """The limit or exception that stopped it; empty for a finished run."""
    recipe: Mapping[str, Mapping[str, object]]
    """The resolved recipe, section by section."""
    stages: tuple[str, ...]
    """Stages that the last attempt finished or found up to date."""

    @classmethod
    def read(cls, folder: Path) -> CompressRun:
        """Read a run folder; raises `ExportError` if ``folder`` is not one."""
        path = folder / SUMMARY
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                folder=folder,
                status=str(said["status"]),
                reason=str(said["reason"]),
                recipe={section: dict(keys) for section, keys in said["recipe"].items()},
                stages=tuple(said["stages"]),
            )
        except OSError as error:
            raise ExportError(
                f"{path}: cannot be read ({error.strerror}); give a run folder of `edge-vc "
                "compress`, or a student file"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ExportError(
                f"{path}: is not what `edge-vc compress` writes ({error}); run it again"
            ) from error

    @property
    def unfinished(self) -> str:
        """Why the run should not be shipped, as one line; empty for a finished run."""
        if self.status == "finished":
            return ""
        state = _STATES.get(self.status, f"its status is {self.status!r}")
        return f"{state}: {self.reason}" if self.reason else state

    def check_finished(self) -> None:
        """Raise `ExportError` unless every stage is done and within its limits."""
        if self.unfinished:
            raise ExportError(
                f"{self.folder}: {self.unfinished}; finish it with `edge-vc compress RECIPE --run "
                f"{self.folder}`, or export it as it is with --force"
            )

    def students(self) -> tuple[Path, Path | None]:
        """Return the float and the quantised student of the stages that this run finished.

        Files of other stages are left over from another recipe. Raises `ExportError` if there is
        no float student.
        """
        found = self._student(FLOAT_STAGES)
        if found is None:
            names = " or ".join(f"{stage}/{STUDENT}" for stage in FLOAT_STAGES)
            raise ExportError(
                f"{self.folder}: holds no {names} of this run; finish it with `edge-vc compress "
                f"RECIPE --run {self.folder}`"
            )
        return found, self._student(INT8_STAGES)

    def _student(self, stages: tuple[str, ...]) -> Path | None:
        files = (self.folder / stage / STUDENT for stage in stages if stage in self.stages)
        return next((file for file in files if file.is_file()), None)
