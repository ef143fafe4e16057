"""What a recipe accepts, and what it says about what it does not."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import pytest

from edge_vc.augmentation.feature_augment import FeatureAugment
from edge_vc.compress.recipe import Recipe, load_recipe, shipped_recipes
from edge_vc.compress.stages.settings import SHIPPED_VOICE, ExportSettings
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.settings.field import RecipeError, limit_fields
from edge_vc.training.student import distiller


def test_an_empty_recipe_is_the_default():
    assert Recipe.from_toml("") == Recipe()


def test_values_are_read_and_the_rest_keeps_its_default():
    recipe = Recipe.from_toml('[student]\ntier = "nano"\n[distill]\nsteps = 7\nmel = 2\n')
    assert recipe.student.tier == "nano"
    assert (recipe.distill.steps, recipe.distill.mel) == (7, 2.0)
    assert isinstance(recipe.distill.mel, float)
    assert recipe.data == Recipe().data


def test_only_the_shipped_teacher_brings_facts_of_its_voice():
    assert Recipe.from_toml('[export]\nname = "mine"').export == replace(SHIPPED_VOICE, name="mine")
    for text in ("", '[export]\nprecision = "both"\n'):
        own = Recipe.from_toml(f'[teacher]\nweights = "own.safetensors"\n{text}')
        assert own.export == ExportSettings()
        assert (own.export.name, own.export.licence, own.export.consent) == ("", "", "")
    assert SHIPPED_VOICE.consent not in str(own.to_dict())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[distill]\nstep = 3", ["distill.step = 3", "unknown key", "did you mean steps?"]),
        ("[distil]\nsteps = 3", ["distil", "unknown section", "did you mean distill?"]),
        ("steps = 3", ["steps", "unknown section", "teacher"]),
        ("data = 3", ["data = 3", "[data]"]),
        ("[student]\nhop_ms = 160", ["student.hop_ms = 160", "2.5 to 20 ms"]),
        ("[target]\nmax_mmacs = 1", ["target.max_mmacs = 1", "10 to 100000"]),
        ("[target]\nmax_latency_ms = 3", ["target.max_latency_ms = 3", "5 to 1000 ms"]),
        ('[student]\ntier = "huge"', ['student.tier = "huge"', '"wide", "base", "nano"']),
        ('[distill]\nsteps = "many"', ['distill.steps = "many"', "whole number"]),
        ("[distill]\nsteps = 1.5", ["distill.steps = 1.5", "whole number"]),
        ("[distill]\nsteps = true", ["distill.steps = true", "whole number"]),
        ("[prune]\nenabled = 1", ["prune.enabled = 1", "true or false"]),
        ("[distill]\nmel = nan", ["distill.mel = nan", "0 to 1000"]),
        ("[data]\ncorpus = 5", ["data.corpus = 5", "expected a string"]),
        ("[data\n", ["not valid TOML", "line 1"]),
    ],
)
def test_a_bad_value_names_key_value_and_what_is_allowed(text: str, words: list[str]):
    with pytest.raises(RecipeError) as caught:
        Recipe.from_toml(text)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_the_recipe_sets_how_the_trunks_input_is_augmented(tmp_path: Path, monkeypatch):
    kept = Recipe.from_toml("[distill]\nwarp = 0\ncolour = 0.1\nexpansion_highest = 1")
    student = Student(StudentConfig(channels=16, hidden=(16,), dilations=(1,), outputs=16))
    monkeypatch.setattr(distiller, "DistillBatches", lambda *given, **more: given)
    chosen, shipped = (
        distiller.Distillation(student, [], recipe.distill, tmp_path).batches[3]
        for recipe in (kept, Recipe())
    )
    assert chosen == FeatureAugment(warp=0.0, colour=0.1, expansion=(0.4, 1.0))
    assert shipped == FeatureAugment()


def test_every_number_has_a_range_that_holds_its_default():
    for section in dataclasses.fields(Recipe):
        for spec in dataclasses.fields(getattr(Recipe(), section.name)):
            if type(spec.default) in (int, float):
                low, high = spec.metadata["range"]
                assert low <= spec.default <= high, f"{section.name}.{spec.name}"


def test_limits_name_their_metric_and_direction():
    limits = limit_fields(Recipe().quantize)
    assert limits["min_snr_db"] == ("trunk_snr_db", "min", 25.0)
    assert limits["max_lsd_db"] == ("lsd_db", "max", 1.0)


def test_shipped_recipes_are_valid():
    assert set(shipped_recipes()) == {"base", "base-lookahead", "clear", "nano", "quick"}
    for name in shipped_recipes():
        assert isinstance(load_recipe(name), Recipe)


def test_a_file_is_read_and_named_in_errors(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[data]\nminutes = 2\n")
    assert load_recipe(path).data.minutes == 2.0
    path.write_text("[data]\nminutes = -2\n")
    with pytest.raises(RecipeError, match=r"mine\.toml: data\.minutes = -2"):
        load_recipe(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RecipeError, match=r"mine\.toml: not valid TOML"):
        load_recipe(path)


@pytest.mark.parametrize("name", ["none.toml", "nosuch"])
def test_a_missing_recipe_is_one_line(name: str):
    with pytest.raises(RecipeError, match=name) as caught:
        load_recipe(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("weights", "tier"),
    [(389_000, "nano"), (400_000, "nano"), (757_000, "base"), (1_283_000, "wide")],
)
def test_a_tier_is_told_by_its_weights(weights: int, tier: str) -> None:
    from edge_vc_export.bundle.tier import tier_of

    assert tier_of(weights) == tier
