"""A recipe for a teacher of one's own: what its weights say of the voice goes into the bundle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.settings import SHIPPED_VOICE
from edge_vc.teachers.network_file import SHIPPED, DefaultSpec
from edge_vc.teachers.reading import spec_from_words

OWN_LICENCE = "LicenseRef-private"
"""SPDX's form for terms that are nobody else's: the owner of the voice decides them."""


def with_teacher(recipe: Recipe, what: str) -> Recipe:
    """Return ``recipe`` with another teacher, as ``edge-vc label --teacher`` takes it.

    A folder or weights of `edge-vc train teacher` fill what the recipe leaves open or says of the
    shipped voice: its name, how its owner agreed, whose recordings it learnt from. Raises
    `RecipeError` for what is no teacher.
    """
    teacher = spec_from_words(what)
    if teacher == SHIPPED:
        return replace(recipe, teacher=teacher)
    said = recipe.export
    shipped = said.consent == SHIPPED_VOICE.consent
    export = replace(
        said,
        name=_name(teacher, said.name) if said.name.startswith("kathleen-") else said.name,
        licence="" if shipped else said.licence,
        consent="" if shipped else said.consent,
        attribution="" if said.attribution == SHIPPED_VOICE.attribution else said.attribution,
    )
    return with_voice_facts(replace(recipe, teacher=teacher, export=export))


def with_voice_facts(recipe: Recipe) -> Recipe:
    """Fill what ``[export]`` leaves empty from what the teacher's own weights say."""
    teacher, export = recipe.teacher, recipe.export
    facts = _facts(teacher) if isinstance(teacher, DefaultSpec) and teacher != SHIPPED else {}
    if not facts:
        return recipe
    filled = replace(
        export,
        licence=export.licence or OWN_LICENCE,
        consent=export.consent or str(facts["consent"]),
        attribution=export.attribution or _attribution(facts),
    )
    return replace(recipe, export=filled)


def _name(teacher: object, name: str) -> str:
    """Return ``my-voice-base`` for a recipe that would make ``kathleen-base``."""
    tier = name.removeprefix("kathleen-")
    if not isinstance(teacher, DefaultSpec):
        return ""
    folder = Path(teacher.weights).absolute().parent.name
    word = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in folder)
    word = word.strip("._-")
    return f"{word[:40]}-{tier}" if word else f"own-voice-{tier}"


def _facts(teacher: DefaultSpec) -> dict[str, object]:
    """Return what the weights say of their training; nothing of those of another network."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(teacher.weights, "pt") as file:
            said = json.loads((file.metadata() or {}).get("run", "{}"))
    except (SafetensorError, OSError, ValueError):
        return {}  # whoever opens the teacher says what is wrong with it
    return said if isinstance(said, dict) and said.get("consent") else {}


def _attribution(facts: dict[str, object]) -> str:
    count, seconds = facts.get("recordings"), facts.get("speech_seconds")
    minutes = f"{seconds / 60:.0f} min" if isinstance(seconds, int | float) else "an unknown length"
    return f"The teacher learnt from {count} recordings ({minutes}) of the owner of the voice."
