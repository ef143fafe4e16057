"""The last stage: ONNX graphs, proven equal to the students, in a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from edge_vc.compress.pipeline.artifacts import STUDENT
from edge_vc.compress.pipeline.stage import LimitError, Metrics, PushedProgress, Stage, Workspace
from edge_vc.compress.recipe import ExportSection
from edge_vc.models.student.file import load_student
from edge_vc.nn.quantized_conv import quantized_convs
from edge_vc.settings.field import RecipeError, Value
from edge_vc.teachers.spec import SHIPPED

if TYPE_CHECKING:
    from edge_vc_export.bundle.facts import BundleFacts
    from edge_vc_export.bundle.graph_set import Selection

TIER_WEIGHTS = {"nano": 400_000, "base": 800_000}
"""Most INT8 weights of a tier; beyond the last it is `wide`."""
NOTES = 12
"""How often a release says what it does, about."""


MACHINE_PATHS = {
    "data": ("corpus", "labels"),
    "teacher": ("weights", "path", "factory"),
    "student": ("weights",),
}
"""Keys of a recipe that say where something lay."""


class ExportStage(Stage):
    """Exports both precisions, compares them with the students, writes the bundle."""

    name: ClassVar[str] = "export"
    needs: ClassVar[tuple[str, ...]] = ("distill", "quantize")
    sections: ClassVar[tuple[str, ...]] = ("export", "quantize", "student")

    def check_ready(self) -> None:
        """Raise `RecipeError` for missing packages and for consent that is not the voice's."""
        from edge_vc_export.formats import FormatError, check_formats

        section = self.recipe.export
        self._check_owner()
        try:
            check_formats(selection_of(section).formats)
        except FormatError as error:
            raise RecipeError(f'export.formats = "{section.formats}": {error}') from error

    def _check_owner(self) -> None:
        if self.recipe.teacher == SHIPPED:
            return
        usual = ExportSection()
        for name in ("consent", "attribution"):
            if getattr(self.recipe.export, name) == getattr(usual, name):
                raise RecipeError(
                    f"export.{name}: speaks of Kathleen, as the shipped teacher; for another one "
                    "write how the voice's owner agreed (consent) and whose recordings it learnt "
                    "from (attribution)"
                )

    def run(self, work: Workspace) -> Metrics:
        """Raises `LimitError` when a graph is not the student it was made from."""
        from edge_vc_export.bundle.release import release_bundle
        from edge_vc_export.parity.pytorch_int8 import Int8Limits, ParityError

        section, limits = self.recipe.export, self.recipe.quantize
        student = load_student(work.inputs["distill"] / STUDENT)
        rounded = load_student(work.inputs["quantize"] / STUDENT)
        with_int8 = section.precision != "fp32" and bool(quantized_convs(rounded.trunk))
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
                rounded if with_int8 else None,
                self._facts(),
                tier=tier_of(student.trunk_parameters()),
                selection=selection_of(section),
                limits=Int8Limits(limits.min_snr_db, limits.max_lsd_db, limits.max_drift_db),
                note=note,
            )
        except ParityError as error:
            raise LimitError(f"stage export stopped the run: {error}") from error
        finally:
            bar.close()
        metrics = release.metrics | {"bundle_kb": path.stat().st_size / 1e3}
        return metrics | {"int8_is_default": float(release.default == "int8")}

    def _facts(self) -> BundleFacts:
        from edge_vc_export.bundle.facts import BundleFacts
        from edge_vc_export.bundle.licences import licence_text

        section = self.recipe.export
        return BundleFacts(
            section.name,
            section.version,
            section.licence,
            section.consent,
            licence_text(section.licence),
            provenance={"recipe": self._provenance()},
            attribution=section.attribution,
        )

    def _provenance(self) -> dict[str, dict[str, Value]]:
        """Return the recipe without the folders of the machine that it ran on."""
        recipe = self.recipe.to_dict()
        for section, keys in MACHINE_PATHS.items():
            for key in keys:
                if key in recipe[section]:
                    recipe[section][key] = Path(str(recipe[section][key])).name
        if "command" in recipe["teacher"]:
            # Of a command only the names of its files: they say what was run, not where.
            words = str(recipe["teacher"]["command"]).split()
            recipe["teacher"]["command"] = " ".join(Path(word).name for word in words)
        return recipe


def selection_of(section: ExportSection) -> Selection:
    """Return the files that a recipe asks for."""
    from edge_vc_export.bundle.graph_set import DEFAULT_PRECISIONS, Selection
    from edge_vc_export.formats import DYNAMIC, FORMATS

    precisions = {"fp32": ("fp32",), "all": (*DEFAULT_PRECISIONS, DYNAMIC)}
    return Selection(
        FORMATS if section.formats == "both" else (section.formats,),
        precisions.get(section.precision, DEFAULT_PRECISIONS),
    )


def tier_of(weights: int) -> str:
    """Return the smallest tier that so many INT8 weights fit into."""
    return next((tier for tier, most in TIER_WEIGHTS.items() if weights <= most), "wide")
