"""Several voices, styles and noisy inputs in one recipe: from teachers to a session that is set."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from compress_toys import voice
from typer.testing import CliRunner

from edge_vc.compress.cli import app
from edge_vc.compress.own_voice import with_voices
from edge_vc.compress.pipeline.artifacts import LabelledSpeech
from edge_vc.compress.recipe import Recipe, load_recipe
from edge_vc.compress.run import build_stages
from edge_vc.compress.stages.distill import DistillStage
from edge_vc.compress.stages.settings import SHIPPED_VOICE
from edge_vc.data.corpus import Corpus
from edge_vc.labelling.job import label_here, recordings_for
from edge_vc.models.student.file import save_student
from edge_vc.models.voice.file import save_voice
from edge_vc.settings.field import RecipeError
from edge_vc.teachers.network_file import DefaultSpec
from edge_vc_runtime.bundle.input_spec import ModelInputError
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.cli import main as board
from edge_vc_runtime.session import Session

RECIPE = """
[voices]
anna = "{anna}"
ben = {{weights = "{ben}"}}
[student]
weights = "{student}"
inputs = "style, pitch"
[data]
corpus = "{corpus}"
holdout_seconds = 5.0
vary = false
[distill]
steps = 40
batch = 4
segment_seconds = 0.5
contents = 1.0
adversarial = 0.5
adversarial_from = 0.95
max_mel_db = 200.0
[noise]
share = 0.5
[prune]
enabled = false
max_mel_db = 200.0
[quantize]
calibration_seconds = 5.0
qat_steps = 0
min_snr_db = 0.0
max_lsd_db = 60.0
max_drift_db = 60.0
[export]
name = "both"
licence = "LicenseRef-tiny"
"""


@pytest.fixture(scope="module")
def teachers(tmp_path_factory, tiny_voice) -> dict[str, Path]:
    """Two untrained teachers that differ in loudness, each with its owner's consent."""
    found = {}
    for name, quieter in (("anna", 0.0), ("ben", 3.0)):
        facts = {"consent": f"{name} agreed.", "recordings": 3, "speech_seconds": 180.0}
        path = tmp_path_factory.mktemp(name) / "teacher.safetensors"
        found[name] = save_voice(tiny_voice(quieter), path, {"run": json.dumps(facts)})
    return found


@pytest.fixture(scope="module")
def recipe_file(tmp_path_factory, teachers, tiny_student, tiny_corpus) -> Path:
    folder = tmp_path_factory.mktemp("recipe")
    student = save_student(tiny_student, folder / "student.safetensors")
    path = folder / "both.toml"
    path.write_text(RECIPE.format(**teachers, student=student, corpus=tiny_corpus))
    return path


@pytest.fixture(scope="module")
def labelled(recipe_file, tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("run")
    invoked(str(recipe_file), "--run", str(run), "--stage", "data")
    return run


@pytest.fixture(scope="module")
def bundle(recipe_file, labelled) -> Path:
    invoked(str(recipe_file), "--run", str(labelled))
    return labelled / "export" / "both.evc"


def invoked(*words: str) -> None:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output


def test_every_example_carries_its_voice(labelled: Path) -> None:
    speech = LabelledSpeech.open(labelled / "data")
    for names in (speech.train, speech.holdout):
        voices = speech.voices_of(names)
        assert set(voices) == {"anna", "ben"}
        assert all(voice in name for voice, name in zip(voices, names, strict=True))
    levels = {
        voice: np.mean([
            np.abs(example.target.astype(float)).mean()
            for example in speech.load([n for n in speech.train if speech.voices[n] == voice])
        ])
        for voice in ("anna", "ben")
    }  # fmt: skip
    assert levels["anna"] > 2 * levels["ben"]


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_manifest_declares_the_voices_with_the_consent_of_both(bundle: Path) -> None:
    manifest = read_bundle(bundle).manifest
    inputs = {spec.name: spec for spec in manifest.inputs}
    assert inputs["voice"].labels == ("anna", "ben")
    assert set(inputs) == {"voice", "style", "pitch"}
    assert manifest.consent == "anna: anna agreed. ben: ben agreed."
    said = manifest.provenance["recipe"]
    assert said["voices"]["ben"]["weights"] == "teacher.safetensors"
    assert "teacher" not in said


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("engine", ["onnx", "litert"])
def test_a_session_speaks_in_the_voice_that_is_set(bundle: Path, engine: str) -> None:
    """Ben's teacher is quieter: so is the student when it is asked for him, a blend between."""
    audio = voice(2.0, 140.0, 1)

    def level(value: object) -> float:
        session = Session.open(bundle, engine=engine, precision="fp32")
        session.set("voice", value)
        hops = audio[: len(audio) // session.hop * session.hop].reshape(-1, session.hop)
        return float(np.square([session.step(hop) for hop in hops]).mean())

    anna, half, ben = level("anna"), level({"anna": 0.5, "ben": 0.5}), level("ben")
    assert anna > half > ben
    assert anna > 1.02 * ben


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize(
    ("words", "fact"),
    [
        (["--voice", "carl"], "no 'carl'; one of anna, ben"),
        (["--set", "style=0,9,0"], "style.energy_range is 9; expected -2 to 2"),
        (["--set", "pitch=40"], "pitch is 40; expected -12 to 12 semitones"),
    ],
)
def test_what_a_bundle_cannot_be_asked_for_is_one_line(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], fact: str
) -> None:
    import soundfile

    soundfile.write(tmp_path / "in.wav", voice(0.5, 140.0, 1), 16000)
    paths = [str(bundle), str(tmp_path / "in.wav"), str(tmp_path / "out.wav")]
    assert board(["run", *paths, *words]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert fact in said[-1]
    with pytest.raises(ModelInputError):
        Session.open(bundle).set("style", [0, 9, 0])


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_blend_on_the_command_line_changes_the_recording(bundle: Path, tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "in.wav", voice(1.0, 140.0, 1), 16000)
    levels = []
    for words in ("anna", "anna:0.5,ben:0.5", "ben"):
        out = tmp_path / "out.wav"
        out.unlink(missing_ok=True)
        given = [str(bundle), str(tmp_path / "in.wav"), str(out), "--voice", words]
        assert board(["run", *given]) == 0
        levels.append(float(np.square(soundfile.read(out)[0]).mean()))
    assert levels[0] > levels[1] > levels[2]


def test_labels_of_each_voice_are_taken_from_their_folders(
    recipe_file: Path, teachers, tiny_corpus: Path, tmp_path: Path
) -> None:
    for name, path in teachers.items():
        spec = DefaultSpec(weights=str(path))
        label_here(spec, recordings_for(spec, Corpus.open(tiny_corpus)), tmp_path / "labels" / name)
    text = recipe_file.read_text().replace(
        f'corpus = "{tiny_corpus}"', f'labels = "{tmp_path / "labels"}"'
    )
    (tmp_path / "labelled.toml").write_text(text)
    invoked(str(tmp_path / "labelled.toml"), "--run", str(tmp_path / "run"), "--stage", "data")
    speech = LabelledSpeech.open(tmp_path / "run" / "data")
    assert sorted(set(speech.voices.values())) == ["anna", "ben"]
    shared = {name.rpartition("-")[2] for name in speech.train}
    assert not shared & {name.rpartition("-")[2] for name in speech.holdout}


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ('[voices]\nanna = "shipped"', "voices.anna: is the only one"),
        ('[voices]\nanna = "shipped"\nben = "/none"', "voices.ben: /none: no teacher; give"),
        ('[voices]\nanna = "shipped"\n"Ben B" = "shipped"', "small letters, digits"),
        ("[voices]\nanna = 3\nben = 4", "voices.anna: 3: is not a teacher"),
        ('[teacher]\nweights = "a"\n[voices]\nanna = "shipped"\nben = "shipped"', "leave one out"),
        (
            '[student]\nvoices = "a, b"\n[voices]\nanna = "shipped"\nben = "shipped"',
            "leave student.voices out",
        ),
    ],
)
def test_bad_voices_are_one_line(text: str, fact: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_toml(text)
    assert fact in str(caught.value)
    assert "\n" not in str(caught.value)


def test_voices_without_teachers_are_refused_before_anything_runs() -> None:
    recipe = Recipe.from_toml('[student]\nvoices = "anna, ben"')
    with pytest.raises(RecipeError, match="name a teacher for each under"):
        DistillStage(recipe).check_ready()


def test_voices_of_the_command_line(teachers) -> None:
    recipe = with_voices(load_recipe("base"), ["kathleen=shipped", f"ben={teachers['ben']}"])
    assert recipe.student.voices == "kathleen, ben"
    assert recipe.export.name == "kathleen-ben-base"
    assert recipe.export.consent == f"kathleen: {SHIPPED_VOICE.consent} ben: ben agreed."
    shown = Recipe.from_toml(_shown(recipe))
    assert shown.teachers == recipe.teachers
    for words in (["anna"], ["anna=shipped", "anna=shipped"]):
        with pytest.raises(RecipeError, match="--voice anna"):
            with_voices(load_recipe("base"), words)


def _shown(recipe: Recipe) -> str:
    import tomli_w

    return tomli_w.dumps(recipe.to_dict())


def test_a_voice_that_says_nothing_of_its_consent_is_asked_for_it(tiny_teacher: Path) -> None:
    recipe = with_voices(load_recipe("base"), ["kathleen=shipped", f"x={tiny_teacher}"])
    with pytest.raises(RecipeError, match="one of the voices kathleen and x has no default"):
        build_stages(recipe)[-1].check_ready()
