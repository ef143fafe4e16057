"""`compress --teacher FOLDER`: a voice of one's own with its consent, sizes and the clear tier."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_vc.compress.cli import app
from edge_vc.compress.own_voice import OWN_LICENCE, with_teacher, with_voice_facts
from edge_vc.compress.recipe import Recipe, load_recipe
from edge_vc.compress.run import build_stages
from edge_vc.compress.stages.initial_student import initial_student
from edge_vc.compress.stages.settings import SHIPPED_VOICE
from edge_vc.models.student.config import TIERS
from edge_vc.models.student.size import trunk_weights, with_weights
from edge_vc.models.student.student import Student
from edge_vc.models.voice.config import VoiceConfig
from edge_vc.models.voice.file import save_voice
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.settings.field import RecipeError

CONSENT = "I recorded this myself, for this."


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """A folder as `edge-vc train teacher --target` leaves it."""
    folder = tmp_path / "my voice"
    folder.mkdir()
    config = VoiceConfig(channels=16, blocks_before=1, blocks_after=1, content_width=8)
    facts = {"consent": CONSENT, "recordings": 40, "speech_seconds": 600.0}
    save_voice(VoiceNetwork(config), folder / "voice.safetensors", {"run": json.dumps(facts)})
    return folder


def test_a_folder_of_a_trained_voice_is_a_teacher_with_its_consent(voice: Path) -> None:
    recipe = with_teacher(load_recipe("base"), str(voice))
    export = recipe.export
    assert recipe.teacher.weights == str(voice / "voice.safetensors")
    assert (export.name, export.licence, export.consent) == ("my-voice-base", OWN_LICENCE, CONSENT)
    assert export.attribution == (
        "The teacher learnt from 40 recordings (10 min) of the owner of the voice."
    )
    for stage in build_stages(recipe):
        stage.check_ready()  # nothing is asked that the weights say


def test_what_a_recipe_says_of_its_own_voice_stays(voice: Path) -> None:
    text = f"""
[teacher]
weights = "{voice / "voice.safetensors"}"
[export]
name = "anna"
licence = "CC-BY-4.0"
"""
    export = with_voice_facts(Recipe.from_toml(text)).export
    assert (export.name, export.licence, export.consent) == ("anna", "CC-BY-4.0", CONSENT)


def test_the_shipped_voice_and_other_teachers_get_nothing_of_it(tmp_path: Path) -> None:
    base = load_recipe("base")
    assert with_voice_facts(base) == base
    (tmp_path / "teacher.onnx").write_bytes(b"")
    export = with_teacher(base, str(tmp_path / "teacher.onnx")).export
    assert (export.name, export.licence, export.consent) == ("", "", "")
    assert export.attribution != SHIPPED_VOICE.attribution


def test_the_command_line_takes_it(voice: Path) -> None:
    shown = CliRunner().invoke(app, ["base", "--teacher", str(voice), "--show"])
    assert shown.exit_code == 0
    assert CONSENT in shown.output


def test_no_teacher_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no teacher; give shipped"):
        with_teacher(load_recipe("base"), str(tmp_path / "nothing"))


def test_the_clear_tier_keeps_its_limits() -> None:
    recipe = load_recipe("clear")
    student = Student(TIERS["clear"]).eval()
    assert student.algorithmic_latency_ms <= recipe.target.max_latency_ms == 60
    assert student.macs_per_second() <= 600e6
    assert student.trunk_parameters() <= 2.7e6
    assert initial_student(recipe.student).config == TIERS["clear"]


@pytest.mark.parametrize("thousand", [400, 800, 1600, 3200])
def test_a_random_student_has_the_size_and_the_look_ahead_that_are_asked_for(thousand: int) -> None:
    text = f"""
[student]
tier = "clear"
weights = "random"
thousand_weights = {thousand}
lookahead = 6
"""
    student = initial_student(Recipe.from_toml(text).student)
    assert student.trunk_parameters() == trunk_weights(student.config)
    assert 0.93 * thousand <= student.trunk_parameters() / 1000 <= thousand
    assert student.algorithmic_latency_ms == 80


def test_a_size_that_cannot_be_is_one_line() -> None:
    with pytest.raises(ValueError, match="10 weights: the narrowest has"):
        with_weights(TIERS["base"], 10)
    with pytest.raises(RecipeError, match='set student.weights = "random"'):
        initial_student(Recipe.from_toml("[student]\nthousand_weights = 400").student)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('inputs = "mood"', "unknown input"),
        ('inputs = "pitch"\nvoices = "Ann Lee, b"', "small letters"),
    ],
)
def test_inputs_of_a_recipe(text: str, fact: str) -> None:
    with pytest.raises(RecipeError, match=fact):
        initial_student(Recipe.from_toml(f"[student]\n{text}").student)


def test_a_recipe_gives_a_student_inputs() -> None:
    text = '[student]\nvoices = "kathleen, flemishguy"\ninputs = "pitch, intonation, breath, style"'
    config = initial_student(Recipe.from_toml(text).student).config
    assert [spec.name for spec in config.inputs] == [
        "voice", "pitch", "intonation", "breath", "style",
    ]  # fmt: skip
