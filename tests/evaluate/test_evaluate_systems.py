"""Systems are loaded by name, and refused with the reason when they cannot be scored."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import save_file

from edge_vc.audio.io import AudioError, Samples, write_audio
from edge_vc.data.corpus import Corpus
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.systems.converted_folder import ConvertedFiles
from edge_vc.evaluate.systems.open_system import at_rate
from edge_vc.evaluate.systems.pairings import baseline, pairings
from edge_vc.evaluate.systems.systems import (
    ConversionSystem,
    check_inputs,
    converted,
    load_systems,
    unique_systems,
)
from edge_vc.settings.optional import EvaluationError
from edge_vc_runtime.bundle.entries import ModelEntry
from edge_vc_runtime.bundle.input_spec import ModelInputError
from edge_vc_runtime.engines import ENGINES, EngineError, EngineFactory

RATE = 16000


def made(name: str, kind: str = "other", form: str = "") -> ConversionSystem:
    """Return a system that converts nothing; ``form`` is ``family precision engine``."""
    family, precision, engine = form.split() if form else ("", "", "")
    return ConversionSystem(name, lambda: lambda u, x: x, kind, family, precision, engine)


@pytest.mark.parametrize(
    ("result", "fact"),
    [
        (np.zeros(5, np.float32), r"shape \[5\]"),
        (np.full(8, np.nan, np.float32), "8 samples not finite"),
    ],
    ids=["another length", "NaN"],
)
def test_unusable_conversions_are_named_with_their_file(
    evaluation_corpus: Corpus, result: Samples, fact: str
) -> None:
    utterance = evaluation_corpus.utterances[0]
    convert = ConversionSystem.of("broken", lambda samples: result).open()
    with pytest.raises(EvaluationError, match=fact) as caught:
        converted("broken", convert, utterance, np.zeros(8, np.float32))
    assert str(utterance.path) in str(caught.value)
    assert str(caught.value).startswith("broken: ")


@pytest.mark.parametrize(
    "name",
    ["u0.wav", "u0_converted.flac", "en-us+m3_u0.wav", "val/u0_converted.wav"],
)
def test_folders_are_systems(evaluation_corpus: Corpus, tmp_path: Path, name: str) -> None:
    (system,) = load_systems(f"rvc={tmp_path}")
    assert system.name == "rvc"
    utterance = evaluation_corpus.utterances[0]
    samples = utterance.read(RATE)
    with pytest.raises(EvaluationError, match=r"has no u0\.wav"):
        system.open()(utterance, samples)
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    write_audio(path, samples, RATE)
    assert np.abs(system.open()(utterance, samples) - samples).max() < 1e-4
    path.write_bytes(b"broken")
    with pytest.raises(AudioError, match="not readable"):
        system.open()(utterance, samples)


def test_the_speaker_decides_between_equal_names(evaluation_corpus: Corpus, tmp_path: Path) -> None:
    utterance = evaluation_corpus.utterances[0]
    samples = utterance.read(RATE)
    write_audio(tmp_path / "u0.wav", np.zeros_like(samples), RATE)
    write_audio(tmp_path / f"{utterance.speaker}_u0.wav", samples, RATE)
    (system,) = load_systems(str(tmp_path))
    assert np.abs(system.open()(utterance, samples)).max() > 0.01


@pytest.mark.parametrize(("off", "refused"), [(800, False), (-800, False), (8000, True)])
def test_lengths_of_other_tools(
    evaluation_corpus: Corpus, tmp_path: Path, off: int, refused: bool
) -> None:
    utterance = evaluation_corpus.utterances[0]
    samples = utterance.read(RATE)
    write_audio(tmp_path / "u0.wav", np.full(samples.size + off, 0.1, np.float32), RATE)
    (system,) = load_systems(str(tmp_path))
    if refused:
        with pytest.raises(EvaluationError, match=r"u0\.wav: lasts .* without changing length"):
            system.open()(utterance, samples)
    else:
        assert system.open()(utterance, samples).shape == samples.shape


def test_halves_of_pairs_are_listed(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    for name in ("a_original", "a_converted", "b_original", "c_converted"):
        write_audio(tmp_path / "train" / f"{name}.wav", np.zeros(100, np.float32), RATE)
    (system,) = load_systems(str(tmp_path))
    with pytest.raises(EvaluationError, match=r"2 files .* b_original\.wav, c_converted\.wav"):
        system.open()


def test_pairs_of_other_names_are_told_by_their_sound(
    evaluation_corpus: Corpus, tmp_path: Path
) -> None:
    (tmp_path / "val").mkdir()
    first, second = (u.read(RATE) for u in evaluation_corpus.utterances[:2])
    for number, samples in enumerate((second, first)):
        write_audio(tmp_path / "val" / f"{number}_original.wav", samples, RATE)
        write_audio(tmp_path / "val" / f"{number}_converted.wav", 0.5 * samples, RATE)
    (system,) = load_systems(str(tmp_path))
    found = system.open()(evaluation_corpus.utterances[0], first)
    assert np.abs(found - 0.5 * first).max() < 1e-4
    with pytest.raises(EvaluationError, match=r"has no u2\.wav"):
        system.open()(evaluation_corpus.utterances[2], first)


def test_missing_sentences_are_listed(evaluation_corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"m3_u0\.wav, .*u4\.wav and 4 more"):
        ConvertedFiles(tmp_path).check_complete(evaluation_corpus)


def test_one_file_for_two_utterances_is_refused(tmp_path: Path) -> None:
    tone = np.full(RATE, 0.1, np.float32)
    for name in ("p1", "p2"):
        (tmp_path / "c" / name).mkdir(parents=True)
        write_audio(tmp_path / f"c/{name}/001.flac", tone, RATE)
    (tmp_path / "conv").mkdir()
    write_audio(tmp_path / "conv/001.flac", tone, RATE)
    corpus = Corpus.open(tmp_path / "c")
    with pytest.raises(EvaluationError, match=r"two utterances; name them p1_001.flac and p2_001"):
        ConvertedFiles(tmp_path / "conv").check_complete(corpus)
    write_audio(tmp_path / "conv/p2_001.flac", tone, RATE)
    ConvertedFiles(tmp_path / "conv").check_complete(corpus)
    write_audio(tmp_path / "conv/001.wav", tone, RATE)
    with pytest.raises(EvaluationError, match=r"holds 001.flac and 001.wav; remove one"):
        ConvertedFiles(tmp_path / "conv")


def test_a_folder_names_the_files_that_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "val").mkdir()
    for path in (tmp_path / "u0.wav", tmp_path / "val" / "u1.wav"):
        path.touch()
    (tmp_path / "u2.m4a").write_bytes(b"x")
    said: list[str] = []
    load_systems(str(tmp_path), said.append)
    assert said == [
        f"left out: {tmp_path}/u0.wav: 0 bytes",
        f"left out: {tmp_path}/u2.m4a: .m4a is not read; convert it to FLAC, for instance with "
        "ffmpeg",
        f"left out: {tmp_path}/val/u1.wav: 0 bytes",
    ]


def test_unknown_systems_are_named(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"zebra: nothing to evaluate"):
        load_systems("zebra")
    with pytest.raises(EvaluationError, match=r"no such teacher weights"):
        load_systems("zebra.safetensors")
    with pytest.raises(EvaluationError, match=r"<b>: no name"):
        load_systems("<b>=source")
    (tmp_path / "junk.safetensors").write_bytes(b"junk")
    with pytest.raises(EvaluationError, match="not readable as safetensors"):
        load_systems(str(tmp_path / "junk.safetensors"))
    save_file({"x": np.zeros(3, np.float32)}, tmp_path / "other.safetensors")
    (system,) = load_systems(str(tmp_path / "other.safetensors"))
    with pytest.raises(EvaluationError, match="neither a student nor a teacher"):
        system.open()


def test_names_are_apart_and_the_source_is_first() -> None:
    (source,) = load_systems("source")
    names = [c.name for c in unique_systems([made("a"), source, made("b")])]
    assert names == ["source", "a", "b"]
    assert [c.name for c in unique_systems([made("a")])] == ["source", "a"]
    for pair in ([made("a"), made("a")], [made("target")], [made("source")]):
        with pytest.raises(EvaluationError, match="name is taken"):
            unique_systems(pair)
    with pytest.raises(EvaluationError, match="no systems"):
        unique_systems([])


def test_shipped_bundles_give_their_forms_and_students_are_told(project_root: Path) -> None:
    assets = project_root / "edge_vc" / "assets"
    notes: list[str] = []
    forms = load_systems(str(assets / "kathleen-nano.evc"), notes.append)
    names = {c.name for c in forms}
    assert {"kathleen-nano-int8-onnx", "kathleen-nano-fp32-onnx"} <= names
    assert {c.family for c in forms} == {"kathleen-nano"}
    (base,) = load_systems(str(assets / "kathleen-base.safetensors"))
    assert (base.name, base.kind) == ("kathleen-base", "student")
    (teacher,) = load_systems(str(assets / "kathleen-teacher.safetensors"))
    assert teacher.kind == "teacher"


def test_both_engines_of_a_bundle_are_systems(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not installed is left out and named; what is left converts."""
    missing = replace(ENGINES["litert"], load=_missing_engine)
    models = (model("fp32", "onnx"), model("int8", "onnx"), model("int8", "tflite"))
    bundle = SimpleNamespace(manifest=SimpleNamespace(models=models, inputs=()))
    monkeypatch.setattr("edge_vc_runtime.bundle.reader.read_bundle", lambda path: bundle)
    notes: list[str] = []
    monkeypatch.setattr("edge_vc_runtime.engines.load_engine", lambda name: None)
    names = [c.name for c in load_systems("base.evc", notes.append)]
    assert names == ["base-fp32-onnx", "base-int8-litert", "base-int8-onnx"]
    assert notes == []
    monkeypatch.undo()
    monkeypatch.setattr("edge_vc_runtime.bundle.reader.read_bundle", lambda path: bundle)
    monkeypatch.setitem(ENGINES, "litert", missing)
    names = [c.name for c in load_systems("base.evc", notes.append)]
    assert names == ["base-fp32-onnx", "base-int8-onnx"]
    assert notes == ["base.evc: litert left out: no LiteRT"]


def model(precision: str, format: str) -> ModelEntry:
    return ModelEntry(f"{precision}.{format}", format, precision, "base", 1, 1.0)


def _missing_engine() -> EngineFactory:
    raise EngineError("no LiteRT")


def test_other_teachers_are_systems(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"none\.onnx"):
        load_systems(str(tmp_path / "none.onnx"))[0].open()
    recipe = tmp_path / "mine.toml"
    recipe.write_text('[teacher]\nkind = "zebra"\n')
    with pytest.raises(EvaluationError, match="zebra"):
        load_systems(str(recipe))
    program = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])"
    command = f"{sys.executable} -c '{program}' {{input}} {{output}}"
    recipe.write_text(f'[teacher]\nkind = "command"\ncommand = "{command}"\n')
    (system,) = load_systems(str(recipe))
    assert (system.name, system.kind) == ("mine", "teacher")
    samples = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    utterance = Utterance(tmp_path / "a.wav", "a", "s", "", 0.5, "", "", "", "")
    assert np.abs(system.open()(utterance, samples) - samples).max() < 1e-3


def test_a_teacher_that_fails_is_named_with_the_file(tmp_path: Path) -> None:
    def fail(samples: Samples) -> Samples:
        raise AudioError("too short")

    utterance = Utterance(tmp_path / "a.wav", "a", "s", "", 0.5, "", "", "", "")
    with pytest.raises(EvaluationError, match=r"broken: cannot convert .*a\.wav: too short"):
        converted("broken", ConversionSystem.of("broken", fail).open(), utterance, np.zeros(9, "f"))


def test_students_keep_length_and_place(project_root: Path) -> None:
    (base,) = load_systems(str(project_root / "edge_vc/assets/kathleen-base.safetensors"))
    samples = np.random.default_rng(0).normal(0, 0.1, 5003).astype(np.float32)
    utterance = Utterance(Path("a.wav"), "a", "s", "", 0.5, "", "", "", "")
    assert base.open()(utterance, samples).shape == samples.shape


FORMS = (
    made("source", "source"),
    made("teacher", "teacher"),
    made("base-fp32-onnx", "student", "base fp32 onnx"),
    made("base-int8-litert", "student", "base int8 litert"),
    made("base-int8-onnx", "student", "base int8 onnx"),
    made("rvc", "folder"),
)


def test_sensible_pairs_by_themselves() -> None:
    found = {(pair.name, pair.against) for pair in pairings(FORMS)}
    assert found == {
        ("base-fp32-onnx", "teacher"),
        ("base-int8-litert", "teacher"),
        ("base-int8-onnx", "teacher"),
        ("rvc", "teacher"),
        ("base-int8-onnx", "base-fp32-onnx"),
        ("base-int8-litert", "base-fp32-onnx"),
        ("base-int8-litert", "base-int8-onnx"),
    }
    assert baseline(FORMS) == "teacher"
    assert baseline(FORMS[:1]) == "source"


def test_pairs_on_demand() -> None:
    found = [(pair.name, pair.against) for pair in pairings(FORMS, ("rvc",))]
    assert found == [(c.name, "rvc") for c in FORMS[1:-1]]
    assert baseline(FORMS, ("rvc",)) == "rvc"
    with pytest.raises(EvaluationError, match=r"--against zebra: no such system, only source"):
        pairings(FORMS, ("zebra",))


@pytest.mark.parametrize("length", [1000, 16001])
def test_other_rates_keep_length(length: int) -> None:
    rates: list[int] = []

    def convert(samples: Samples) -> Samples:
        rates.append(samples.size)
        return samples

    time = np.arange(length) / RATE
    samples = (0.5 * np.sin(2 * np.pi * 300 * time)).astype(np.float32)
    result = at_rate(convert, 24000)(samples)
    assert result.shape == samples.shape
    assert rates == [int(np.ceil(length * 1.5))]
    assert np.abs(result - samples)[100:-100].max() < 0.02


def test_conditioning_inputs_are_set_where_a_bundle_has_them(arctic: np.ndarray) -> None:
    inputs = {"voice": "flemish", "pitch": "-2"}
    (his,) = load_systems("kathleen-flemish", inputs=inputs)
    (plain,) = load_systems("kathleen-flemish")
    assert his.name == "kathleen-flemish+voice.flemish+pitch.-2-int8-litert"
    assert his.inputs == ("voice", "pitch")
    speech = arctic[:16000]
    place = Utterance(Path("one.wav"), "one", "somebody", "F", 1.0, "none", "unseen-source", "", "")
    spoken = [system.open()(place, speech) for system in (his, plain)]
    assert not np.allclose(*spoken, atol=0.01)
    (named,) = load_systems("him=kathleen-flemish", inputs=inputs)
    assert named.family == "him"
    others = load_systems("kathleen-clear", inputs=inputs)
    assert [system.inputs for system in others] == [()] * len(others)
    check_inputs([his, *others], inputs)
    with pytest.raises(EvaluationError, match="'pitch': none of these bundles has such an input"):
        check_inputs(others, {"pitch": "2"})
    with pytest.raises(ModelInputError, match="no 'walloon'; one of kathleen, flemish"):
        load_systems("kathleen-flemish", inputs={"voice": "walloon"})
