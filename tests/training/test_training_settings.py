from __future__ import annotations

from pathlib import Path

import pytest

from edge_vc.settings.field import RecipeError, section_from_table
from edge_vc.training.teacher.settings import (
    TRAINING_RECIPES,
    TeacherSettings,
    load_settings,
)


@pytest.mark.parametrize(
    "path", sorted(TRAINING_RECIPES.glob("*.toml")), ids=lambda path: path.stem
)
def test_shipped_recipes_load_by_name_and_by_path(path: Path) -> None:
    assert load_settings(path.stem) == load_settings(path) != TeacherSettings()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"onw": 3}, "did you mean own"),
        (
            {"inputs": {"wrap": [1.0, 2.0]}},
            r"inputs.wrap = \[1.*: unknown key; did you mean warp",
        ),
        ({"own": 2.5}, "own = 2.5: expected a whole number"),
        ({"compile": 1}, "compile = 1: expected true or false"),
        ({"inputs": {"warp": "wide"}}, 'inputs.warp = "wide": expected a list of numbers'),
        ({"inputs": 3}, "inputs = 3: expected a table"),
        ({"inputs": {"expansion": [0.0, 2.0]}}, r"inputs.expansion = \[0.0, 2.0\]: .* above 0"),
        ({"inputs": {"f0_hz": [200.0, 100.0]}}, r"f0_hz = .*\[lowest, highest\]"),
        ({"inputs": {"snr_db": [5.0]}}, r"snr_db = \[5.0\]: must be \[lowest, highest\]$"),
        ({"inputs": {"noise_share": 50}}, "noise_share = 50.0: must be within 0..1"),
        ({"inputs": {"fewest_mean_frames": 0}}, "fewest_mean_frames = 0: must be 1 or more"),
        ({"own": 0}, "own and accumulate are 1 or more"),
        ({"accumulate": 3}, "own = 8 does not divide by 1 processes x 3 parts"),
        ({"network": {"head": "wavenet"}}, "teacher head 'wavenet' is not one of"),
    ],
)
def test_bad_settings_are_named(table: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        section_from_table(TeacherSettings, table)


def test_numbers_and_ranges_take_the_fields_type() -> None:
    settings = section_from_table(TeacherSettings, {"peak_rate": 1, "inputs": {"warp": [0.8, 1.2]}})
    assert settings.peak_rate == 1.0
    assert settings.inputs.warp == (0.8, 1.2)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("own = ")
    with pytest.raises(RecipeError, match="mine.toml: not TOML"):
        load_settings(path)
