"""The initial student of a compression run, and a check that it can meet the target."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import cast

import torch

from edge_vc.assets import ASSETS
from edge_vc.compress.pruning.cost import Cost, TargetError, cost_of, fit_config
from edge_vc.compress.recipe import Recipe
from edge_vc.compress.stages.settings import InitialStudentSettings
from edge_vc.models.student.config import TIERS, LookaheadIn, StudentConfig
from edge_vc.models.student.file import StudentFileError, load_student
from edge_vc.models.student.inputs import STANDARD, voice_input
from edge_vc.models.student.size import with_weights
from edge_vc.models.student.student import Student
from edge_vc.models.student.transforms.average import averaged
from edge_vc.models.student.transforms.channel_norm import with_recovering_norm
from edge_vc.models.student.transforms.hop import with_hop
from edge_vc.models.student.transforms.inputs_added import with_inputs
from edge_vc.models.student.transforms.lookahead import looking_ahead_in_blocks, with_lookahead
from edge_vc.settings.field import RecipeError, unknown


def student_files(settings: InitialStudentSettings) -> dict[str, Path]:
    """Return the files of the initial student by their key; none for random weights.

    Raises `RecipeError` if a file does not exist.
    """
    path, second = _weights_file(settings), settings.average_with
    if not second:
        return {"weights": path} if path else {}
    if path is None:
        raise RecipeError(
            f'student.average_with = "{second}": random weights have nothing in common with it; '
            "give two students that were fine-tuned from the same one"
        )
    if not Path(second).is_file():
        raise RecipeError(f'student.average_with = "{second}": does not exist; give a file')
    return {"weights": path, "average_with": Path(second)}


def _weights_file(settings: InitialStudentSettings) -> Path | None:
    given = settings.weights
    if given == "random":
        return None
    path = ASSETS / f"kathleen-{settings.tier}.safetensors" if given == "shipped" else None
    path = path or Path(given)
    if not path.is_file():
        raise RecipeError(
            f'student.weights = "{given}": {path} does not exist; give a file, or "random"'
        )
    return path


def initial_student(settings: InitialStudentSettings) -> Student:
    """Return the initial student; raises `RecipeError` if its file is not usable."""
    student = _with_inputs(_at_hop(_given_student(settings), settings), settings)
    hops = settings.lookahead
    try:
        if hops and hops != student.config.lookahead:
            student = with_lookahead(student, hops)
    except ValueError as error:
        raise RecipeError(f"student.lookahead = {hops}: {error}") from error
    where = settings.lookahead_in
    if not where or not student.config.lookahead or where == student.config.lookahead_in:
        return student
    try:
        return looking_ahead_in_blocks(student)
    except ValueError as error:
        raise RecipeError(f'student.lookahead_in = "{where}": {error}') from error


def _with_inputs(student: Student, settings: InitialStudentSettings) -> Student:
    """Return ``student`` with the recipe's conditioning inputs; raises `RecipeError`."""
    names, voices = _listed(settings.inputs), _listed(settings.voices)
    for name in names:
        if name not in STANDARD:
            raise unknown("input", f"student.inputs: {name}", STANDARD)
    try:
        wanted = [voice_input(voices)] if voices else []
        return with_inputs(student, wanted + [STANDARD[name] for name in names])
    except ValueError as error:
        raise RecipeError(f"student.inputs, student.voices: {error}") from error


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _given_student(settings: InitialStudentSettings) -> Student:
    files = student_files(settings)
    if files and settings.thousand_weights:
        raise RecipeError(
            f"student.thousand_weights = {settings.thousand_weights:g}: sizes a student of random "
            'weights; set student.weights = "random"'
        )
    if not files:
        with torch.random.fork_rng():
            torch.manual_seed(settings.seed)
            return Student(_random_config(settings)).eval()
    given = {key: _loaded(key, path, settings) for key, path in files.items()}
    try:
        return reduce(averaged, given.values())
    except ValueError as error:
        raise RecipeError(
            f'student.average_with = "{settings.average_with}": {error}; give two that were '
            "fine-tuned from the same one"
        ) from error


def _loaded(key: str, path: Path, settings: InitialStudentSettings) -> Student:
    try:
        return with_recovering_norm(load_student(path))
    except StudentFileError as error:
        raise RecipeError(f'student.{key} = "{getattr(settings, key)}": {error}') from error


def _random_config(settings: InitialStudentSettings) -> StudentConfig:
    try:
        config = TIERS[settings.tier].at(settings.hop_ms, settings.sample_rate)
        config = replace(
            config,
            lookahead=settings.lookahead or config.lookahead,
            lookahead_in=cast(LookaheadIn, settings.lookahead_in or config.lookahead_in),
        )
        weights = round(1000 * settings.thousand_weights)
        return with_weights(config, weights) if weights else config
    except ValueError as error:
        raise RecipeError(f"student.{error}") from error


def _at_hop(student: Student, settings: InitialStudentSettings) -> Student:
    """Return ``student`` at the recipe's hop; raises `RecipeError` if its sample rate differs."""
    config = student.config
    if config.sample_rate != settings.sample_rate:
        raise RecipeError(
            f'student.weights = "{settings.weights}": are for {config.sample_rate} Hz, not '
            f'student.sample_rate = {settings.sample_rate}; set student.weights = "random"'
        )
    try:
        return with_hop(student, settings.hop_ms)
    except ValueError as error:
        raise RecipeError(f"student.hop_ms = {settings.hop_ms:g}: {error}") from error


def expected_costs(recipe: Recipe) -> tuple[Cost, Cost]:
    """Return the costs before and after pruning, without pruning.

    Raises `RecipeError` if the target cannot be met: by any pruning, or, without structured
    pruning, by the student itself.
    """
    student = initial_student(recipe.student)
    before = cost_of(student)
    if before.latency_ms > recipe.target.max_latency_ms:
        raise RecipeError(
            f"target.max_latency_ms = {recipe.target.max_latency_ms:g}: the student's layers take "
            f"{before.latency_ms:g} ms; allowed are {before.latency_ms:g} ms and more"
        )
    try:
        fitted = fit_config(student.config, recipe.target, recipe.prune.round_to)
    except TargetError as error:
        raise RecipeError(str(error)) from error
    narrows = recipe.prune.enabled and recipe.prune.method == "structured"
    if fitted != student.config and not narrows:
        raise RecipeError(
            f"target.max_mmacs = {recipe.target.max_mmacs:g}, target.max_weight_kb = "
            f"{recipe.target.max_weight_kb:g}: the student takes {before.mmacs:.1f} and "
            f"{before.trunk_weights / 1e3:.1f}; set prune.enabled = true and prune.method = "
            '"structured"'
        )
    after = cost_of(Student(fitted)) if fitted != student.config else before
    return before, after
