"""Recipes for a user's own teacher: the facts in its weights' metadata go into the bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.settings import SHIPPED_VOICE, ExportSettings
from edge_vc.compress.voices import Voices
from edge_vc.settings.field import RecipeError
from edge_vc.teachers.network_file import DefaultSpec, is_shipped
from edge_vc.teachers.reading import spec_from_words
from edge_vc.teachers.spec import TeacherSpec

OWN_LICENCE = "LicenseRef-private"
"""SPDX form for private terms: the owner of the voice decides them."""


def with_teacher(recipe: Recipe, what: str) -> Recipe:
    """Return ``recipe`` with another teacher, as ``edge-vc label --teacher`` takes it.

    The metadata of a folder or weights from `edge-vc train teacher` fill in what the recipe leaves
    empty or states about the shipped voice: its name, its owner's consent, whose recordings it was
    trained on. Raises `RecipeError` if ``what`` is not a teacher.
    """
    teacher = spec_from_words(what)
    if is_shipped(teacher):
        return replace(recipe, teacher=teacher)
    export = _own(recipe.export, _word(teacher))
    return with_voice_facts(replace(recipe, teacher=teacher, export=export))


def with_voices(recipe: Recipe, words: Sequence[str]) -> Recipe:
    """Return ``recipe`` with a teacher for each voice, ``NAME=TEACHER`` each, as ``--voice``.

    The metadata of the teachers' weights fill in what the recipe leaves empty. Raises
    `RecipeError` for a malformed word and for a value that is not a teacher.
    """
    table: dict[str, object] = {}
    for word in words:
        name, found, teacher = word.partition("=")
        if not found or not name.strip() or not teacher.strip():
            raise RecipeError(f"--voice {word}: expected NAME=TEACHER, as in anna=build/anna")
        if name.strip() in table:
            raise RecipeError(f"--voice {word}: the voice {name.strip()} has a teacher already")
        table[name.strip()] = teacher.strip()
    voices = Voices.from_table(table)
    export = _own(recipe.export, "-".join(voices.names))
    return with_voice_facts(replace(recipe, export=export).with_voices(voices))


def with_voice_facts(recipe: Recipe) -> Recipe:
    """Fill empty fields of ``[export]`` from the metadata of the teachers' own weights.

    With several voices, every teacher must have them: each voice is listed with its own consent.
    """
    teachers = recipe.teachers
    said = {voice: own for voice, t in teachers.items() if (own := _said(t)) is not None}
    shipped = not recipe.voices.names and is_shipped(recipe.teacher)
    if shipped or len(said) < len(teachers):
        return recipe
    licences = {own.licence for own in said.values()}
    export = recipe.export
    filled = replace(
        export,
        licence=export.licence or (licences.pop() if len(licences) == 1 else OWN_LICENCE),
        consent=export.consent or _joined({voice: own.consent for voice, own in said.items()}),
        attribution=export.attribution
        or _joined({voice: own.attribution for voice, own in said.items()}),
    )
    return replace(recipe, export=filled)


def _own(said: ExportSettings, name: str) -> ExportSettings:
    """Return the section without the shipped voice's facts, named after ``name``."""
    shipped = said.consent == SHIPPED_VOICE.consent
    return replace(
        said,
        name=_named(said.name, name[:40]),
        licence="" if shipped else said.licence,
        consent="" if shipped else said.consent,
        attribution="" if said.attribution == SHIPPED_VOICE.attribution else said.attribution,
    )


def _named(bundle: str, name: str) -> str:
    """Return ``NAME-base`` for ``kathleen-base``, empty without a name; others unchanged."""
    if not bundle.startswith("kathleen-"):
        return bundle
    return f"{name}-{bundle.removeprefix('kathleen-')}" if name else ""


def _word(teacher: TeacherSpec) -> str:
    """Return the ``my-voice`` of a bundle ``my-voice-base``; empty for other teacher kinds."""
    if not isinstance(teacher, DefaultSpec):
        return ""
    folder = Path(teacher.weights).absolute().parent.name
    word = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in folder)
    return word.strip("._-")[:40] or "own-voice"


def _joined(texts: Mapping[str, str]) -> str:
    """Join the texts of all voices, each prefixed with its name; a single one has no prefix."""
    return " ".join(f"{voice}: {text}" if voice else text for voice, text in texts.items())


def _said(teacher: TeacherSpec) -> ExportSettings | None:
    """Return licence, consent and attribution of a teacher; None if they are unknown."""
    if is_shipped(teacher):
        return SHIPPED_VOICE
    facts = _facts(teacher) if isinstance(teacher, DefaultSpec) else {}
    if not facts:
        return None
    return ExportSettings(
        licence=OWN_LICENCE, consent=str(facts["consent"]), attribution=_attribution(facts)
    )


def _facts(teacher: DefaultSpec) -> dict[str, object]:
    """Return the training metadata of the weights; empty if there is none."""
    from safetensors import SafetensorError

    from edge_vc.models.weights_file import opened_weights

    try:
        with opened_weights(teacher.weights) as file:
            said = json.loads((file.metadata() or {}).get("run", "{}"))
    except (SafetensorError, OSError, ValueError):
        return {}  # opening the teacher later reports what is wrong
    return said if isinstance(said, dict) and said.get("consent") else {}


def _attribution(facts: dict[str, object]) -> str:
    count, seconds = facts.get("recordings"), facts.get("speech_seconds")
    minutes = f"{seconds / 60:.0f} min" if isinstance(seconds, int | float) else "an unknown length"
    return f"The teacher learnt from {count} recordings ({minutes}) of the owner of the voice."
