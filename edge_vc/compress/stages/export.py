"""The last stage: export to graphs that are verified against the students, in a bundle."""

from __future__ import annotations

from typing import ClassVar

from edge_vc.compress.pipeline.artifacts import STUDENT
from edge_vc.compress.pipeline.stage import LimitError, Metrics, Stage, Workspace
from edge_vc.compress.stages.settings import SHIPPED_VOICE
from edge_vc.models.student.file import load_student
from edge_vc.models.student.transforms.postfilter import with_postfilter
from edge_vc.nn.quantized_conv import quantized_convs
from edge_vc.settings.field import RecipeError
from edge_vc.teachers.network_file import is_shipped
from edge_vc.workers.progress import PushedProgress

NOTES = 12
"""Approximate number of notes that a release gives, for the progress bar."""
OWNER_LINES = {
    "name": 'name = "my-voice"',
    "licence": 'licence = "CC0-1.0" (SPDX, or LicenseRef-NAME for terms of your own)',
    "consent": 'consent = "how the owner of the voice agreed"',
    "attribution": 'attribution = "whose recordings the teacher was trained on"',
}
"""Facts that a recipe has to state about a voice other than the shipped one, as example lines."""


class ExportStage(Stage):
    """Exports both precisions, compares them with the students, writes the bundle."""

    name: ClassVar[str] = "export"
    needs: ClassVar[tuple[str, ...]] = ("distill", "quantize")
    sections: ClassVar[tuple[str, ...]] = ("export", "quantize", "student")

    def check_ready(self) -> None:
        """Raise `RecipeError` for missing packages and for facts of another voice."""
        from edge_vc_export.bundle.recipe_facts import recipe_facts, recipe_selection
        from edge_vc_export.errors import ExportError
        from edge_vc_export.formats import FormatError, check_formats

        self._check_owner()
        try:
            recipe_facts(self.recipe.to_dict()).check()
        except ExportError as error:
            raise RecipeError(f"export.{error}") from error
        try:
            check_formats(recipe_selection(self.recipe.to_dict()).formats)
        except FormatError as error:
            formats = self.recipe.export.formats
            raise RecipeError(f'export.formats = "{formats}": {error}') from error

    def _check_owner(self) -> None:
        """Raise `RecipeError` unless the recipe itself describes a voice other than the shipped."""
        if not self.recipe.voices.names and is_shipped(self.recipe.teacher):
            return
        voices = " and ".join(self.recipe.voices.names)
        whose = f"one of the voices {voices} has" if voices else "a teacher of your own has"
        section = self.recipe.export
        for name, line in OWNER_LINES.items():
            value = getattr(section, name)
            if not value.strip():
                raise RecipeError(
                    f"export.{name}: is missing, and {whose} no default; "
                    f"write under [export]: {line}"
                )
            if name != "licence" and value == getattr(SHIPPED_VOICE, name):
                raise RecipeError(
                    f"export.{name}: speaks of Kathleen, the shipped teacher's voice; for another "
                    f"teacher write under [export]: {line}"
                )

    def run(self, work: Workspace) -> Metrics:
        """Export the bundle; raises `LimitError` if a graph differs from its student."""
        from edge_vc_export.bundle.recipe_facts import (
            recipe_facts,
            recipe_limits,
            recipe_selection,
        )
        from edge_vc_export.bundle.release import release_bundle
        from edge_vc_export.bundle.tier import tier_of
        from edge_vc_export.errors import ParityError

        section, recipe = self.recipe.export, self.recipe.to_dict()
        student, quantized = (
            with_postfilter(load_student(work.inputs[stage] / STUDENT), section.postfilter)
            for stage in ("distill", "quantize")
        )
        with_int8 = section.precision != "fp32" and bool(quantized_convs(quantized.trunk))
        path = work.output / f"{section.name}.evc"
        bar = PushedProgress(work.progress, "export")
        notes: list[str] = []

        def note(line: str) -> None:
            notes.append(line)
            bar.reach(len(notes) / NOTES)

        try:
            release = release_bundle(
                path,
                student,
                quantized if with_int8 else None,
                recipe_facts(recipe),
                tier=tier_of(student.trunk_parameters(), student.config.lookahead),
                selection=recipe_selection(recipe),
                limits=recipe_limits(recipe),
                note=note,
            )
        except ParityError as error:
            raise LimitError(f"stage export stopped the run: {error}") from error
        finally:
            bar.close()
        metrics = release.metrics | {"bundle_kb": path.stat().st_size / 1e3}
        return metrics | {"int8_is_default": float(release.default == "int8")}
