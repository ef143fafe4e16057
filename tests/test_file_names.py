"""Every verb that takes or scans files, on names of every kind that a Linux disk can hold."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import soundfile
from onnx import TensorProto, helper
from typer.testing import CliRunner

import edge_vc.workers.process_pool
from edge_vc.assets import bundle_path
from edge_vc.audio.scan import scan_audio
from edge_vc.cli import app
from edge_vc.data.corpus import Corpus
from edge_vc.data.synthetic.synthetic import synthesize_corpus
from edge_vc.labelling.opener import TeacherOpener
from edge_vc.prepare.sources import find_sources
from edge_vc.workers.inline_pool import InlinePool

NAMES = {
    "Latin-1": b"Gr\xf6\xdfe",
    "line feed": b"one\ntwo",
    "escape": b"\x1b[31mred|\xe2\x80\xa8%s{}'\"",
    "spaces": b" - two  spaces ",
}
"""Stems of files and names of folders."""
every_name = pytest.mark.parametrize(
    "name",
    [pytest.param(n, id=i, marks=[pytest.mark.slow] * (i != "Latin-1")) for i, n in NAMES.items()],
)


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    corpus = synthesize_corpus(tmp_path_factory.mktemp("voices") / "corpus", 0.1, seed=5)
    return tuple(utterance.path for utterance in corpus)[:2]


@pytest.fixture
def folder(tmp_path: Path, name: bytes, sentences: tuple[Path, ...]) -> Path:
    """Make a folder with a bundle, a teacher and a folder of recordings, all called so."""
    stem = os.fsdecode(name)
    folder = tmp_path / stem
    (folder / stem).mkdir(parents=True)
    for sentence, end in zip(sentences, (".wav", "2.wav"), strict=True):
        shutil.copy(sentence, folder / stem / f"{stem}{end}")
    shutil.copy(bundle_path("kathleen-nano"), folder / f"{stem}.evc")
    onnx.save(identity(), str(folder / f"{stem}.onnx"))
    return folder


def identity() -> onnx.ModelProto:
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, "T"]) for n in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., str]:
    """Return what runs a verb in this process and returns all that it printed."""

    def inline(opener: TeacherOpener, workers: int) -> object:
        return InlinePool(opener)

    monkeypatch.setattr(edge_vc.workers.process_pool, "ProcessPool", inline)

    shown = next((str(path) for path in tmp_path.iterdir()), str(tmp_path))

    def run(*arguments: object, code: int = 0) -> str:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        assert "\x1b" not in done.output.replace(shown, "")
        return done.output

    return run


@every_name
def test_folders_are_scanned(folder: Path, name: bytes) -> None:
    folder = folder / os.fsdecode(name)
    assert len(scan_audio(folder).files) == 2
    assert not scan_audio(folder).left_out
    corpus = Corpus.open(folder)
    assert len(corpus) == 2
    assert len(corpus.content_hash()) == 64
    for utterance in corpus:
        f"{utterance.utt_id}{utterance.speaker}".encode()
        assert "/" not in utterance.utt_id
    sources, drops = find_sources(folder)
    assert (len(sources), drops) == (2, [])


@every_name
def test_recordings_become_a_corpus_and_labels(
    folder: Path, name: bytes, verb: Callable[..., str]
) -> None:
    stem = os.fsdecode(name)
    verb("prepare", folder / stem, "-o", folder / "made", "--denoise", "none", "--features", "f0")
    prepared = Corpus.open(folder / "made")
    assert len(prepared) == 2
    json.loads((folder / "made" / "prepare.json").read_bytes().decode())
    verb("prepare", folder / stem, "-o", folder / "made", "--denoise", "none", "--dry-run")
    arguments = (folder / stem, "--teacher", folder / f"{stem}.onnx", "-o", folder / "labels")
    verb("label", *arguments, "--wav", "--delay", "none")
    assert len(list((folder / "labels").rglob("*_converted.wav"))) == 2
    (folder / "labels" / "report.md").read_bytes().decode()
    verb("label", *arguments, "--wav", "--delay", "none")


@every_name
def test_board_verbs_take_and_write_them(
    folder: Path, name: bytes, verb: Callable[..., str]
) -> None:
    stem = os.fsdecode(name)
    bundle, recording = folder / f"{stem}.evc", folder / stem / f"{stem}.wav"
    verb("inspect", bundle)
    for suffix in (".wav", ".flac"):
        verb("run", "-q", bundle, recording, folder / f"{stem}{suffix}")
        verb("run", "-q", bundle, folder / f"{stem}{suffix}", folder / f"{stem} again{suffix}")
        assert soundfile.info(os.fsencode(folder / f"{stem} again{suffix}")).frames
    measured = ("--seconds", "0.5", "--no-cold-start", "--no-ops", "--mode", "tight")
    verb("profile", bundle, *measured, "--json", folder / f"{stem}.json")
    verb("report", folder / f"{stem}.json")
    verb("export", bundle, "-o", folder / f"{stem} parts")
    verb("install", bundle, "--root", folder / f"{stem} opt", "--board", "pi4")
    verb("installed", "--root", folder / f"{stem} opt")


@every_name
def test_a_run_of_compress_is_planned(folder: Path, name: bytes, verb: Callable[..., str]) -> None:
    stem = os.fsdecode(name)
    recipe = folder / f"{stem}.toml"
    recipe.write_text("[data]\nminutes = 0.2\nholdout_seconds = 5\n", encoding="utf-8")
    output = verb(
        "compress", recipe, "--corpus", folder / stem, "--run", folder / "run", "--dry-run"
    )
    assert "data" in output


def test_errors_print_names_that_are_no_text(tmp_path: Path, verb: Callable[..., str]) -> None:
    missing = tmp_path / os.fsdecode(NAMES["Latin-1"])
    for arguments in (
        ("prepare", missing, "-o", tmp_path / "out"),
        ("label", missing, "--teacher", "shipped", "-o", tmp_path / "out"),
        ("compress", f"{missing}.toml"),
        ("evaluate", "source", "--corpus", missing),
        ("report", missing),
        ("inspect", missing),
        ("run", missing, "in.wav", "out.wav"),
        ("sign", missing, "--key", missing),
    ):
        assert "Gr\\udcf6\\udcdfe" in verb(*arguments, code=2)
