"""Bundle settings in a compression recipe: facts, files to write, limits to check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.licences import licence_text
from edge_vc_export.bundle.selection import DEFAULT_PRECISIONS, Selection
from edge_vc_export.errors import ExportError
from edge_vc_export.formats import DYNAMIC, FORMATS
from edge_vc_export.parity.int8 import Int8Limits

Recipe = Mapping[str, Mapping[str, object]]
"""A resolved recipe as plain values, section by section: `run.json` holds one."""

MACHINE_PATHS = {
    "data": ("corpus", "labels"),
    "teacher": ("weights", "path", "factory", "contents"),
    "student": ("weights", "average_with"),
    "noise": ("folder",),
}
"""Keys of a recipe that contain paths on the machine it ran on, also relative ones."""
_PRECISIONS = {"fp32": ("fp32",), "both": DEFAULT_PRECISIONS, "all": (*DEFAULT_PRECISIONS, DYNAMIC)}


def recipe_facts(recipe: Recipe) -> BundleFacts:
    """Return the bundle's facts about itself, with the recipe as provenance.

    Keys of ``[export]`` missing from the recipe are empty strings.
    """
    said = {key: str(value) for key, value in recipe.get("export", {}).items()}
    licence = said.get("licence", "")
    return BundleFacts(
        name=said.get("name", ""),
        version=said.get("version", ""),
        licence=licence,
        consent=said.get("consent", ""),
        licence_text=licence_text(licence),
        provenance={"recipe": without_machine_paths(recipe)},
        attribution=said.get("attribution", ""),
    )


def recipe_selection(recipe: Recipe) -> Selection:
    """Return the files selected by a recipe; raises `ExportError` for an unknown word."""
    section = recipe.get("export", {})
    precision, formats = section.get("precision", "both"), section.get("formats", "both")
    if precision not in _PRECISIONS:
        raise ExportError(f"export.precision = {precision!r}: choose from {', '.join(_PRECISIONS)}")
    return Selection(FORMATS if formats == "both" else (str(formats),), _PRECISIONS[str(precision)])


def recipe_limits(recipe: Recipe) -> Int8Limits:
    """Return the allowed differences of INT8 from float graphs; default limits if not set."""
    usual, said = Int8Limits(), recipe.get("quantize", {})

    def limit(key: str, default: float) -> float:
        value = said.get(key, default)
        if not isinstance(value, int | float):
            raise ExportError(f"quantize.{key} = {value!r}: is not a number")
        return float(value)

    return Int8Limits(
        limit("min_snr_db", usual.least_snr_db),
        limit("max_lsd_db", usual.largest_distance_db),
        limit("max_drift_db", usual.largest_drift_db),
    )


def recipe_postfilter(recipe: Recipe) -> float:
    """Return the gain of the postfilter; 1 for recipes that predate it."""
    said = recipe.get("export", {}).get("postfilter", 1.0)
    if not isinstance(said, int | float) or not 1 <= said <= 2:
        raise ExportError(f"export.postfilter = {said!r}: must be within 1..2")
    return float(said)


def without_machine_paths(recipe: Recipe) -> dict[str, dict[str, object]]:
    """Return the recipe with paths cut to their last part: bundles are used on other machines."""
    copy = {section: dict(values) for section, values in recipe.items()}
    for section, values in copy.items():
        copy[section] = _portable(values, MACHINE_PATHS.get(section, ()))
    voices = copy.get("voices", {})
    keys = MACHINE_PATHS["teacher"]
    copy["voices"] = {
        name: _portable(teacher, keys) if isinstance(teacher, Mapping) else teacher
        for name, teacher in voices.items()
    }
    return {section: values for section, values in copy.items() if section in recipe}


def _portable(section: Mapping[str, object], keys: Sequence[str]) -> dict[str, object]:
    """Return a section with absolute paths, those of ``keys`` and of a command cut.

    Only their last part is kept.
    """
    cut = {
        key: Path(str(value)).name
        for key, value in section.items()
        if key in keys or (isinstance(value, str) and Path(value).is_absolute())
    }
    if "command" in section:
        # Keep only the names of a command's files: they tell what was run, not where.
        words = str(section["command"]).split()
        cut["command"] = " ".join(Path(word).name for word in words)
    return {**section, **cut}
