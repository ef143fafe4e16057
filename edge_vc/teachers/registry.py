"""Teacher kinds by name. To add one, add a file like the others and a line in `KINDS`.

Another distribution can add one without a change here: it names its `TeacherKind` as an entry point
of the group `ENTRY_POINTS`, or calls `register_teacher` in the module that defines the settings,
which labelling processes import too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from edge_vc.teachers import command, module, network_file, onnx_file, pairs_folder, program
from edge_vc.teachers.kind import TeacherKind
from edge_vc_runtime.entry_points import register_entry_points

ENTRY_POINTS = "edge_vc.teachers"
"""Entry point group in which other distributions name their `TeacherKind`."""

KINDS: dict[str, TeacherKind] = {
    kind.name: kind
    for kind in (
        network_file.KIND,
        module.KIND,
        program.KIND,
        onnx_file.KIND,
        pairs_folder.KIND,
        command.KIND,
    )
}
"""Registered kinds by name, in the order of help and errors. `teacher_kinds` adds those that entry
points name."""


def register_teacher(kind: TeacherKind) -> None:
    """Add a kind of teacher to recipes, help and every command.

    Raises `ValueError` if another one has its name or one of its suffixes.
    """
    taken = {suffix: other for other in KINDS.values() for suffix in other.suffixes}
    if KINDS.get(kind.name, kind).spec is not kind.spec:
        raise ValueError(f"a {kind.name} teacher is registered already, choose another name")
    for suffix in kind.suffixes:
        if taken.get(suffix, kind).name != kind.name:
            raise ValueError(f"{suffix} files are {taken[suffix].name} teachers already")
    KINDS[kind.name] = kind


def unregister_teacher(name: str) -> None:
    """Remove a kind of teacher; does nothing if there is none of that name."""
    KINDS.pop(name, None)


def teacher_kinds() -> Mapping[str, TeacherKind]:
    """Return every kind by name; reads entry points the first time."""
    register_entry_points(ENTRY_POINTS, register_teacher)
    return MappingProxyType(KINDS)


def choices() -> list[tuple[str, str]]:
    """Return what a command line can name as a teacher, and what each is."""
    found = [("shipped", "the one that comes with Edge VC")]
    for kind in teacher_kinds().values():
        found += [(f"FILE{suffix}", kind.title) for suffix in kind.suffixes]
        found += [("FOLDER", kind.title)] if kind.folder else []
    found.append(("RUN", "a folder that `edge-vc train teacher --target` made"))
    names = ", ".join(KINDS)
    code = " and ".join(kind.name for kind in KINDS.values() if kind.code)
    said = f"its [teacher] section; kind is one of {names} ({code} run code of yours)"
    return [*found, ("RECIPE.toml", said)]
