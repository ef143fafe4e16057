"""A notice before a teacher that is code is run, shown once for each."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from edge_vc.teachers.loading import teacher_hash
from edge_vc.teachers.registry import teacher_kinds
from edge_vc.teachers.spec import TeacherError, TeacherSpec
from edge_vc_runtime.board_profile import user_folder
from edge_vc_runtime.files.error import OutputError
from edge_vc_runtime.files.writing import write_whole

_MOST = 500
"""Number of teachers that are remembered, the latest ones."""


def first_use_notice(spec: TeacherSpec) -> str:
    """Return the line to show before code of this teacher runs here for the first time.

    Empty for a teacher that is data, and for one already announced: its settings and files are
    remembered by hash in the user's state folder, so changed code is announced again. If nothing
    can be remembered, the line is shown every time.
    """
    kind = teacher_kinds()[spec.kind]
    if not kind.code:
        return ""
    try:
        found = teacher_hash(spec)
    except TeacherError:
        return ""  # its files are missing: it will not run
    known = _known()
    if found in known:
        return ""
    _remember([*known, found][-_MOST:])
    what = next(iter(str(getattr(spec, key)) for key in kind.needed), spec.kind)
    return (
        f"note: this {spec.kind} teacher is code and runs with your rights: {what}; use only what "
        "you trust (shown once for each)"
    )


def notice_file() -> Path:
    """Return the path of the state file, ``$XDG_STATE_HOME/edge-vc/teachers.json``."""
    return user_folder("STATE", ".local/state") / "teachers.json"


def _known() -> list[str]:
    try:
        said = json.loads(notice_file().read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    return [item for item in said if isinstance(item, str)] if isinstance(said, list) else []


def _remember(known: list[str]) -> None:
    path = notice_file()
    with suppress(OSError, OutputError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(known, indent=1) + "\n")
