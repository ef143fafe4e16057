"""The recipe: the settings of every stage of `compress`, read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from edge_vc.compress.pruning.settings import PruneSettings, TargetSettings
from edge_vc.compress.quantization.settings import QuantizeSettings
from edge_vc.compress.stages.settings import (
    SHIPPED_VOICE,
    DataSettings,
    ExportSettings,
    InitialStudentSettings,
)
from edge_vc.compress.voices import Voices
from edge_vc.recipes import RECIPES
from edge_vc.settings.field import RecipeError, Value, section_from_table, unknown
from edge_vc.settings.paths import with_paths_from
from edge_vc.teachers.network_file import SHIPPED, is_shipped
from edge_vc.teachers.reading import spec_from_table
from edge_vc.teachers.spec import TeacherSpec
from edge_vc.training.student.inputs.noise import NoiseSettings
from edge_vc.training.student.inputs.voice_perturb import VoicePerturbSettings
from edge_vc.training.student.settings import DistillSettings, distill_settings


@dataclass(frozen=True)
class Recipe:
    """The settings of every stage, one section each; the defaults make a `base` student."""

    teacher: TeacherSpec = SHIPPED
    """The teacher to distil from; its keys depend on ``kind``."""
    voices: Voices = field(default_factory=Voices)
    """Instead of ``teacher``: a teacher for each voice of one student."""
    student: InitialStudentSettings = field(default_factory=InitialStudentSettings)
    data: DataSettings = field(default_factory=DataSettings)
    prune: PruneSettings = field(default_factory=PruneSettings)
    distill: DistillSettings = field(default_factory=lambda: distill_settings()())
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    voice_perturb: VoicePerturbSettings = field(default_factory=VoicePerturbSettings)
    quantize: QuantizeSettings = field(default_factory=QuantizeSettings)
    export: ExportSettings = SHIPPED_VOICE
    """In TOML, a teacher other than the shipped one starts from an empty section."""
    target: TargetSettings = field(default_factory=TargetSettings)

    @classmethod
    def from_toml(cls, text: str, folder: Path | None = None) -> Recipe:
        """Parse and validate; raises `RecipeError` with the key, the value and the range.

        Relative paths that exist in ``folder``, the recipe's, are resolved against it, others
        against the working directory.
        """
        try:
            tables = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise RecipeError(f"not valid TOML: {error}") from error
        start = cls()
        defaults: dict[str, Any] = {spec.name: getattr(start, spec.name) for spec in fields(cls)}
        for name, table in tables.items():
            if name not in defaults:
                raise unknown("section", name, defaults)
            if not isinstance(table, dict):
                raise RecipeError(f"{name} = {table!r}: is a section, write [{name}]")
        voices = Voices.from_table(tables.pop("voices", {}), folder)
        if voices.names and "teacher" in tables:
            raise RecipeError("[teacher] and [voices]: a recipe has one of them; leave one out")
        teacher = spec_from_table(tables.pop("teacher", {}), folder)
        if voices.names or not is_shipped(teacher):
            defaults["export"] = ExportSettings()
        given = {
            name: section_from_table(type(defaults[name]), table, name, base=defaults[name])
            for name, table in tables.items()
        }
        if folder:
            given = {name: with_paths_from(section, folder) for name, section in given.items()}
        recipe = cls(**(defaults | given | {"teacher": teacher}))
        return recipe.with_voices(voices) if voices.names else recipe

    def with_voices(self, voices: Voices) -> Recipe:
        """Return the recipe with these teachers in place of ``[teacher]``.

        The student gets an input ``voice`` with their names. Raises `RecipeError` if
        ``student.voices`` lists other names.
        """
        names = ", ".join(voices.names)
        said = self.student.voices
        if said and [name.strip() for name in said.split(",")] != list(voices.names):
            raise RecipeError(
                f'student.voices = "{said}": [voices] has {names}; leave student.voices out'
            )
        student = replace(self.student, voices=names)
        return replace(self, teacher=SHIPPED, voices=voices, student=student)

    @property
    def teachers(self) -> dict[str, TeacherSpec]:
        """The teachers by voice; the key of a single ``[teacher]`` is empty."""
        return dict(self.voices.teachers) or {"": self.teacher}

    def to_dict(self) -> dict[str, dict[str, Value]]:
        """Return the recipe with every default written out, as plain values.

        They contain either ``teacher`` or ``voices``.
        """
        values: dict[str, Any] = asdict(self)
        if self.voices.names:
            del values["teacher"]
            values["voices"] = self.voices.to_dict()
        else:
            del values["voices"]
        return values


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a recipe from a TOML file, or a shipped one by its name (``base``).

    Raises `RecipeError`; every message starts with the recipe's name.
    """
    path = Path(name_or_path)
    try:
        if path.suffix == ".toml":
            return Recipe.from_toml(
                path.read_text(encoding="utf-8", errors="surrogateescape"), path.parent
            )
        return Recipe.from_toml(_shipped_text(str(name_or_path)))
    except RecipeError as error:
        raise RecipeError(f"{name_or_path}: {error}") from error
    except OSError as error:
        raise RecipeError(f"{name_or_path}: cannot be read ({error.strerror})") from error


def shipped_recipes() -> tuple[str, ...]:
    """Return the names of the recipes that ship with the package, sorted."""
    names = (entry.name for entry in RECIPES.iterdir())
    return tuple(sorted(name[:-5] for name in names if name.endswith(".toml")))


def _shipped_text(name: str) -> str:
    if name not in shipped_recipes():
        known = ", ".join(shipped_recipes())
        raise RecipeError(f"no such recipe; shipped are {known}, a file ends in .toml")
    return (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
