"""An export job: which students become which bundle, and with which description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edge_vc.models.student.file import load_student, student_facts
from edge_vc.models.student.transforms.postfilter import with_postfilter
from edge_vc.nn.quantized_conv import quantized_convs
from edge_vc_export.bundle.facts import FORCED, BundleFacts, check_tier
from edge_vc_export.bundle.licences import licence_text
from edge_vc_export.bundle.recipe_facts import (
    recipe_facts,
    recipe_limits,
    recipe_postfilter,
    recipe_selection,
)
from edge_vc_export.bundle.release import ANY_INT8, Release, release_bundle
from edge_vc_export.bundle.selection import Selection
from edge_vc_export.bundle.tier import tier_of
from edge_vc_export.compress_run import CompressRun
from edge_vc_export.errors import ExportError
from edge_vc_export.parity.int8 import Int8Limits


@dataclass(frozen=True)
class Overrides:
    """Values that replace those of the run; None keeps the run's value."""

    name: str | None = None
    version: str | None = None
    tier: str | None = None
    licence: str | None = None
    """SPDX identifier."""
    consent: str | None = None
    attribution: str | None = None
    formats: tuple[str, ...] | None = None
    precisions: tuple[str, ...] | None = None
    postfilter: float | None = None
    """See `edge_vc.models.student.transforms.postfilter`; raises `ExportError` outside 1 to 2."""

    def __post_init__(self) -> None:
        """Raise `ExportError` for values that a recipe could not have."""
        if self.postfilter is not None and not 1 <= self.postfilter <= 2:
            raise ExportError(f"--postfilter {self.postfilter:g}: must be within 1..2")

    def facts(self, base: BundleFacts) -> BundleFacts:
        """Return ``base`` with overrides applied; raises `ExportError` for a bad tier name."""
        words = ("name", "version", "licence", "consent", "attribution")
        said = {word: getattr(self, word) for word in words if getattr(self, word) is not None}
        if self.tier is not None:
            check_tier(self.tier)
        if self.licence is not None:
            said["licence_text"] = licence_text(self.licence)
        return replace(base, **said)

    def selection(self, base: Selection) -> Selection:
        """Return ``base`` with overrides applied; raises `FormatError` for unknown names."""
        chosen = Selection(
            base.formats if self.formats is None else self.formats,
            base.precisions if self.precisions is None else self.precisions,
        )
        chosen.check_names()
        return chosen

    def given_facts(self) -> list[str]:
        """Return the names of the overrides that concern a student or its description."""
        words = ("name", "version", "tier", "licence", "consent", "attribution", "postfilter")
        return [word for word in words if getattr(self, word) is not None]


@dataclass(frozen=True)
class ExportJob:
    """Everything needed to make a bundle."""

    student: Path
    """The float student's file."""
    quantized: Path | None
    """The quantised student's file; one without quantised layers is ignored."""
    facts: BundleFacts
    selection: Selection
    tier: str | None = None
    """None: the smallest tier that the student's INT8 weights fit into."""
    limits: Int8Limits | None = None
    """Allowed difference of INT8 from fp32; None: the default limits."""
    postfilter: float = 1.0

    def run(self, output: Path, note: Callable[[str], None] = lambda line: None) -> Release:
        """Export, verify and write the bundle; see `release_bundle` for its errors."""
        student = load_student(self.student)
        quantized = None if self.quantized is None else load_student(self.quantized)
        if quantized is not None and not quantized_convs(quantized.trunk):
            quantized = None  # quantisation was disabled in the run
        return release_bundle(
            output,
            with_postfilter(student, self.postfilter),
            quantized and with_postfilter(quantized, self.postfilter),
            self.facts,
            tier=self.tier or tier_of(student.trunk_parameters(), student.config.lookahead),
            selection=self.selection,
            limits=self.limits,
            note=note,
        )


def job_of_run(
    run: CompressRun,
    overrides: Overrides | None = None,
    *,
    force: bool = False,
    quantized: Path | None = None,
) -> ExportJob:
    """Return the export specified by a run's recipe: name, licence, consent, files, limits.

    With ``force`` an unfinished run is exported too, without checking its INT8 limits; the
    manifest's provenance and the card then say so. Otherwise raises `ExportError` for an unfinished
    run; also if neither the recipe nor ``overrides`` provide a fact that a bundle needs.
    """
    overrides = overrides or Overrides()
    if not force:
        run.check_finished()
    student, own_quantized = run.students()
    postfilter, recipe = overrides.postfilter, run.recipe
    if postfilter is None:
        postfilter = recipe_postfilter(recipe)
    else:
        section = {**recipe.get("export", {}), "postfilter": postfilter}
        recipe = {**recipe, "export": section}
    facts = overrides.facts(recipe_facts(recipe))
    _check_facts(facts, str(run.folder))
    if run.unfinished:
        facts = replace(facts, provenance={**facts.provenance, FORCED: run.unfinished})
    return ExportJob(
        student=student,
        quantized=quantized or own_quantized,
        facts=facts,
        selection=overrides.selection(recipe_selection(run.recipe)),
        tier=overrides.tier,
        limits=ANY_INT8 if run.unfinished else recipe_limits(run.recipe),
        postfilter=postfilter,
    )


def job_of_student(
    student: Path, overrides: Overrides, *, quantized: Path | None = None, name: str = ""
) -> ExportJob:
    """Return the export of a student file, which contains no facts about the voice.

    ``name`` is used if ``overrides`` has none; the file's metadata about its training go into the
    manifest's provenance. Raises `ExportError` if the licence or the consent is missing.
    """
    selection = overrides.selection(Selection())
    if not student.is_file():
        raise ExportError(f"{student}: no such file")
    said = student_facts(student)
    provenance = {"student": said} if said else {}
    unknown = BundleFacts(name or student.stem, "0.1.0", "", "", "", provenance=provenance)
    facts = overrides.facts(unknown)
    _check_facts(facts, str(student))
    postfilter = overrides.postfilter or 1.0
    return ExportJob(student, quantized, facts, selection, overrides.tier, postfilter=postfilter)


def _check_facts(facts: BundleFacts, source: str) -> None:
    """Raise `ExportError` for a description that is invalid or lacks required facts."""
    for key, what in (
        ("consent", "how the owner of the voice agreed"),
        ("licence", "SPDX identifier of the voice's licence"),
        ("name", "name of the bundle"),
    ):
        if not getattr(facts, key).strip():
            raise ExportError(f'{source}: no {key} is known; give --{key} "{what}"')
    try:
        facts.check()
    except ExportError as error:
        raise ExportError(f"{source}: {error}") from error
