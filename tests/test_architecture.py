"""Which room may import which; no import circle of files; one meaning for each class name."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = {
    "edge_vc": ROOT / "edge_vc",
    "edge_vc_export": ROOT / "export" / "edge_vc_export",
    "edge_vc_boards": ROOT / "boards" / "edge_vc_boards",
    "edge_vc_runtime": ROOT / "runtimes" / "edge_vc_runtime",
}
SPLIT = ("edge_vc", "edge_vc_runtime")
"""Packages whose folders are rooms; the others are one room each."""
WHOLE = ("edge_vc_runtime",)
"""Split packages that other packages see as one room: the host may use all of the runtime."""


@cache
def modules() -> dict[str, Path]:
    found = {}
    for package, folder in SOURCES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            found[".".join(part for part in parts if part != "__init__")] = path
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """Every project module that ``module`` names in an import, lazy and typing-only ones too."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in modules() else node.module)
    return frozenset(name for name in found if name in modules() and name != module)


def room(module: str) -> str:
    package, _, rest = module.partition(".")
    if package not in SPLIT:
        return package
    inside = rest.partition(".")[0]
    if inside and (SOURCES[package] / inside).is_dir():
        return f"{package}/{inside}"
    return module


def target_room(source: str, target: str) -> str:
    package = target.partition(".")[0]
    return package if package in WHOLE and source.partition(".")[0] != package else room(target)


def arrows() -> set[tuple[str, str]]:
    pairs = ((room(a), target_room(a, b)) for a in modules() for b in imports(a))
    return {(a, b) for a, b in pairs if a != b}


# Room -> the rooms that it may import, top to bottom. An arrow that is not here is refused;
# so is one from here that nothing uses any more.
ALLOWED: dict[str, set[str]] = {
    "edge_vc_runtime.streams": {"edge_vc_runtime/files"},
    "edge_vc_runtime.outputs": {
        "edge_vc_runtime.aliases",
        "edge_vc_runtime.errors",
        "edge_vc_runtime/files",
    },
    "edge_vc": {"edge_vc_runtime"},
    "edge_vc.__main__": {"edge_vc.cli"},
    "edge_vc.cli": {
        "edge_vc",
        "edge_vc.threads",
        "edge_vc/assets",
        "edge_vc/command_line",
        "edge_vc_runtime",
    },
    "edge_vc/assets": {"edge_vc/command_line", "edge_vc_runtime"},
    "edge_vc.quickstart": {
        "edge_vc/audio",
        "edge_vc/command_line",
        "edge_vc/compress",
        "edge_vc/evaluate",
        "edge_vc_export",
        "edge_vc_runtime",
    },
    "edge_vc/audio": {"edge_vc/settings", "edge_vc_runtime"},
    "edge_vc/augmentation": {"edge_vc/audio", "edge_vc/models"},
    "edge_vc/command_line": {"edge_vc_runtime"},
    "edge_vc/compress": {
        "edge_vc",
        "edge_vc/assets",
        "edge_vc/audio",
        "edge_vc/command_line",
        "edge_vc/data",
        "edge_vc/labelling",
        "edge_vc/models",
        "edge_vc/nn",
        "edge_vc/recipes",
        "edge_vc/settings",
        "edge_vc/teachers",
        "edge_vc/training",
        "edge_vc/workers",
        "edge_vc_export",
        "edge_vc_runtime",
    },
    "edge_vc/data": {
        "edge_vc/audio",
        "edge_vc/augmentation",
        "edge_vc/workers",
        "edge_vc_runtime",
    },
    "edge_vc/evaluate": {
        "edge_vc",
        "edge_vc/assets",
        "edge_vc/audio",
        "edge_vc/command_line",
        "edge_vc/data",
        "edge_vc/models",
        "edge_vc/settings",
        "edge_vc/teachers",
        "edge_vc/workers",
        "edge_vc_runtime",
    },
    "edge_vc/labelling": {
        "edge_vc/audio",
        "edge_vc/command_line",
        "edge_vc/data",
        "edge_vc/teachers",
        "edge_vc/workers",
        "edge_vc_runtime",
    },
    "edge_vc/models": {
        "edge_vc/assets",
        "edge_vc/audio",
        "edge_vc/nn",
        "edge_vc/settings",
        "edge_vc_runtime",
    },
    "edge_vc/prepare": {
        "edge_vc/audio",
        "edge_vc/augmentation",
        "edge_vc/command_line",
        "edge_vc/data",
        "edge_vc/workers",
        "edge_vc_runtime",
        "edge_vc/settings",
    },
    "edge_vc/serve": {"edge_vc/assets", "edge_vc/command_line", "edge_vc_runtime"},
    "edge_vc/teachers": {
        "edge_vc/assets",
        "edge_vc/audio",
        "edge_vc/models",
        "edge_vc/settings",
        "edge_vc_runtime",
    },
    "edge_vc/training": {
        "edge_vc/audio",
        "edge_vc/augmentation",
        "edge_vc/command_line",
        "edge_vc/data",
        "edge_vc/labelling",
        "edge_vc/models",
        "edge_vc/nn",
        "edge_vc/recipes",
        "edge_vc/settings",
        "edge_vc/teachers",
        "edge_vc/workers",
        "edge_vc_runtime",
    },
    "edge_vc_boards": {
        "edge_vc/assets",
        "edge_vc/audio",
        "edge_vc/command_line",
        "edge_vc/evaluate",
        "edge_vc_runtime",
    },
    "edge_vc_export": {
        "edge_vc/assets",
        "edge_vc/audio",
        "edge_vc/command_line",
        "edge_vc/models",
        "edge_vc/nn",
        "edge_vc_runtime",
    },
    "edge_vc_runtime": {
        "edge_vc_runtime.session",
        "edge_vc_runtime.version",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/engines",
        "edge_vc_runtime/live",
        "edge_vc_runtime/profiling",
    },
    "edge_vc_runtime.__main__": {"edge_vc_runtime.cli"},
    "edge_vc_runtime.arguments": {
        "edge_vc_runtime.verb_parser",
        "edge_vc_runtime.verbs",
        "edge_vc_runtime.version",
    },
    "edge_vc_runtime.bundle_arguments": {
        "edge_vc_runtime.commands",
        "edge_vc_runtime.option_types",
        "edge_vc_runtime.verb_parser",
        "edge_vc_runtime/profiling",
        "edge_vc_runtime/files",
    },
    "edge_vc_runtime/app": {
        "edge_vc_runtime.arguments",
        "edge_vc_runtime.cli",
        "edge_vc_runtime.verbs",
    },
    "edge_vc_runtime/validation": {
        "edge_vc_runtime.board_profile",
        "edge_vc_runtime.golden",
        "edge_vc_runtime.option_types",
        "edge_vc_runtime.samples",
        "edge_vc_runtime.trust",
        "edge_vc_runtime.verb_parser",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/schema",
        "edge_vc_runtime/files",
    },
    "edge_vc_runtime.board_profile": {"edge_vc_runtime.sysfs", "edge_vc_runtime/schema"},
    "edge_vc_runtime.input_guard": {"edge_vc_runtime.samples"},
    "edge_vc_runtime/chain": {
        "edge_vc_runtime.input_guard",
        "edge_vc_runtime.option_types",
        "edge_vc_runtime.samples",
        "edge_vc_runtime.session",
        "edge_vc_runtime/audio",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/live",
    },
    "edge_vc_runtime/control": {
        "edge_vc_runtime.board_profile",
        "edge_vc_runtime.message",
        "edge_vc_runtime.verb_parser",
        "edge_vc_runtime/chain",
        "edge_vc_runtime/live",
    },
    "edge_vc_runtime.cli": {
        "edge_vc_runtime.arguments",
        "edge_vc_runtime.errors",
        "edge_vc_runtime.message",
        "edge_vc_runtime.telemetry",
        "edge_vc_runtime.outputs",
        "edge_vc_runtime.streams",
        "edge_vc_runtime.termination",
    },
    "edge_vc_runtime.aliases": {"edge_vc_runtime.errors"},
    "edge_vc_runtime.commands": {
        "edge_vc_runtime.descriptions",
        "edge_vc_runtime.errors",
        "edge_vc_runtime.golden",
        "edge_vc_runtime.message",
        "edge_vc_runtime.progress",
        "edge_vc_runtime.session",
        "edge_vc_runtime.trust",
        "edge_vc_runtime/audio",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/chain",
        "edge_vc_runtime/devices",
        "edge_vc_runtime/engines",
        "edge_vc_runtime/live",
        "edge_vc_runtime/profiling",
        "edge_vc_runtime/schema",
        "edge_vc_runtime/vetting",
    },
    "edge_vc_runtime.descriptions": {
        "edge_vc_runtime.figures",
        "edge_vc_runtime.golden",
        "edge_vc_runtime.message",
        "edge_vc_runtime.session",
        "edge_vc_runtime/audio",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/engines",
        "edge_vc_runtime/live",
        "edge_vc_runtime/profiling",
    },
    "edge_vc_runtime.devices_arguments": {
        "edge_vc_runtime.commands",
        "edge_vc_runtime.verb_parser",
    },
    "edge_vc_runtime.errors": {
        "edge_vc_runtime/audio",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/chain",
        "edge_vc_runtime/control",
        "edge_vc_runtime/devices",
        "edge_vc_runtime/engines",
        "edge_vc_runtime/install",
        "edge_vc_runtime/monitor",
        "edge_vc_runtime/profiling",
        "edge_vc_runtime/taps",
    },
    "edge_vc_runtime.golden": {
        "edge_vc_runtime.samples",
        "edge_vc_runtime.session",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/engines",
    },
    "edge_vc_runtime.live_run": {
        "edge_vc_runtime/governor",
        "edge_vc_runtime/tiers",
        "edge_vc_runtime.errors",
        "edge_vc_runtime/audio",
        "edge_vc_runtime/chain",
        "edge_vc_runtime/control",
        "edge_vc_runtime/feeds",
        "edge_vc_runtime/devices",
        "edge_vc_runtime/live",
        "edge_vc_runtime/monitor",
        "edge_vc_runtime/taps",
    },
    "edge_vc_runtime.run_arguments": {
        "edge_vc_runtime/governor",
        "edge_vc_runtime.commands",
        "edge_vc_runtime.errors",
        "edge_vc_runtime.live_run",
        "edge_vc_runtime.verb_parser",
        "edge_vc_runtime/chain",
        "edge_vc_runtime/control",
        "edge_vc_runtime/live",
        "edge_vc_runtime/monitor",
        "edge_vc_runtime/taps",
        "edge_vc_runtime/audio",
    },
    "edge_vc_runtime.service_arguments": {
        "edge_vc_runtime.run_arguments",
        "edge_vc_runtime.verb_parser",
        "edge_vc_runtime/install",
    },
    "edge_vc_runtime.unit_verb": {
        "edge_vc_runtime.service_arguments",
        "edge_vc_runtime.verb_parser",
        "edge_vc_runtime/install",
    },
    "edge_vc_runtime.session": {
        "edge_vc_runtime.input_guard",
        "edge_vc_runtime.samples",
        "edge_vc_runtime.trust",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/engines",
        "edge_vc_runtime/vetting",
    },
    "edge_vc_runtime/vetting": {
        "edge_vc_runtime.board_profile",
        "edge_vc_runtime.message",
        "edge_vc_runtime.version",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/engines",
        "edge_vc_runtime/files",
    },
    "edge_vc_runtime.trust": {
        "edge_vc_runtime.board_profile",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/schema",
    },
    "edge_vc_runtime.verb_parser": {
        "edge_vc_runtime.message",
        "edge_vc_runtime.verbs",
        "edge_vc_runtime/audio",
        "edge_vc_runtime/devices",
        "edge_vc_runtime/engines",
    },
    "edge_vc_runtime/audio": {
        "edge_vc_runtime.registry",
        "edge_vc_runtime.samples",
        "edge_vc_runtime/files",
    },
    "edge_vc_runtime/bundle": {"edge_vc_runtime.version", "edge_vc_runtime/schema"},
    "edge_vc_runtime/devices": {
        "edge_vc_runtime.board_profile",
        "edge_vc_runtime.registry",
        "edge_vc_runtime.message",
        "edge_vc_runtime.sysfs",
        "edge_vc_runtime/schema",
        "edge_vc_runtime/files",
    },
    "edge_vc_runtime.entry_points": {"edge_vc_runtime.distributions"},
    "edge_vc_runtime.registry": {"edge_vc_runtime.entry_points"},
    "edge_vc_runtime/engines": {
        "edge_vc_runtime.telemetry",
        "edge_vc_runtime.board_profile",
        "edge_vc_runtime.distributions",
        "edge_vc_runtime.registry",
        "edge_vc_runtime.samples",
        "edge_vc_runtime.sysfs",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/schema",
        "edge_vc_runtime/files",
    },
    "edge_vc_runtime/install": {
        "edge_vc_runtime.option_types",
        "edge_vc_runtime.board_profile",
        "edge_vc_runtime.golden",
        "edge_vc_runtime.message",
        "edge_vc_runtime.session",
        "edge_vc_runtime.trust",
        "edge_vc_runtime.verb_parser",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/engines",
        "edge_vc_runtime/schema",
    },
    "edge_vc_runtime/governor": {
        "edge_vc_runtime.option_types",
        "edge_vc_runtime.sensors",
        "edge_vc_runtime/live",
        "edge_vc_runtime/tiers",
    },
    "edge_vc_runtime/feeds": {
        "edge_vc_runtime.samples",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/chain",
        "edge_vc_runtime/control",
        "edge_vc_runtime/tiers",
    },
    "edge_vc_runtime/tiers": {
        "edge_vc_runtime.samples",
        "edge_vc_runtime.session",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/live",
    },
    "edge_vc_runtime/live": {
        "edge_vc_runtime.option_types",
        "edge_vc_runtime.samples",
        "edge_vc_runtime/audio",
        "edge_vc_runtime/devices",
    },
    "edge_vc_runtime.sensors": {"edge_vc_runtime.sysfs"},
    "edge_vc_runtime/latency": {
        "edge_vc_runtime.option_types",
        "edge_vc_runtime.errors",
        "edge_vc_runtime.message",
        "edge_vc_runtime.progress",
        "edge_vc_runtime.samples",
        "edge_vc_runtime.verb_parser",
        "edge_vc_runtime/devices",
    },
    "edge_vc_runtime/monitor": {
        "edge_vc_runtime.message",
        "edge_vc_runtime.sensors",
        "edge_vc_runtime.session",
        "edge_vc_runtime/live",
        "edge_vc_runtime/profiling",
        "edge_vc_runtime/files",
    },
    "edge_vc_runtime/taps": {
        "edge_vc_runtime.registry",
        "edge_vc_runtime.message",
        "edge_vc_runtime.samples",
        "edge_vc_runtime/audio",
        "edge_vc_runtime/live",
        "edge_vc_runtime/files",
    },
    "edge_vc_runtime/profiling": {
        "edge_vc_runtime.message",
        "edge_vc_runtime.samples",
        "edge_vc_runtime.sensors",
        "edge_vc_runtime.session",
        "edge_vc_runtime.sysfs",
        "edge_vc_runtime.version",
        "edge_vc_runtime/bundle",
        "edge_vc_runtime/engines",
        "edge_vc_runtime/schema",
        "edge_vc_runtime/files",
    },
}


def test_only_the_allowed_arrows_stand() -> None:
    found: dict[str, set[str]] = {}
    for a, b in arrows():
        found.setdefault(a, set()).add(b)
    new = {a: sorted(bs - ALLOWED.get(a, set())) for a, bs in found.items()}
    assert not {a: bs for a, bs in new.items() if bs}, "new arrows: import from a room below"
    gone = {a: sorted(bs - found.get(a, set())) for a, bs in ALLOWED.items()}
    assert not {a: bs for a, bs in gone.items() if bs}, "arrows that nothing uses: take them out"


def circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def class_names() -> dict[str, list[str]]:
    """Return the modules that define each public class, nested classes too."""
    found: dict[str, list[str]] = {}
    for module, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(module)
    return found


def test_a_class_name_means_one_thing() -> None:
    names = class_names()
    assert names["Student"] == ["edge_vc.models.student.student"]
    assert not {name: where for name, where in names.items() if len(where) > 1}


def test_rooms_stand_in_floors() -> None:
    assert not circle(ALLOWED)


def test_no_circle_of_files() -> None:
    assert not circle({module: set(imports(module)) for module in modules()})


@pytest.mark.parametrize(
    ("source", "target"), [("edge_vc/audio", "edge_vc/compress"), ("edge_vc_runtime", "edge_vc")]
)
def test_the_check_sees_an_arrow_that_runs_up(source: str, target: str) -> None:
    assert circle(ALLOWED | {source: ALLOWED.get(source, set()) | {target}})
