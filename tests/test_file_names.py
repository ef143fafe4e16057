"""Every verb that takes or scans files, on names of every kind that a Linux disk can hold."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import onnx
import pytest
import soundfile
from onnx import TensorProto, helper
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typer.testing import CliRunner
from voices import record

import edge_vc.workers.process_pool
from edge_vc.assets import bundle_path
from edge_vc.audio.scan import scan_audio
from edge_vc.cli import app
from edge_vc.data.corpus import Corpus
from edge_vc.data.synthetic.synthetic import synthesize_corpus
from edge_vc.labelling.opener import TeacherOpener
from edge_vc.prepare.sources import find_sources
from edge_vc.workers.inline_pool import InlinePool
from edge_vc_boards.testing import FakeBoard
from edge_vc_boards.wheels.runtime_wheel import write_runtime_wheel
from edge_vc_boards.wheels.wheel_list import WheelList, list_wheel, write_list

NAMES = {
    "Latin-1": b"Gr\xf6\xdfe",
    "line feed": b"one\ntwo",
    "escape": b"\x1b[31mred|\xe2\x80\xa8%s{}'\"",
    "spaces": b" - two  spaces ",
    "dash": b"--rf",
    "emoji": "\U0001f3a4\u200d\U0001f9d1".encode(),
    "decomposed": "u\u0308ber\u202etxt".encode(),
    "long": b"n" * 234,
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

    def run(*arguments: object, code: int = 0) -> str:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        for line in (*done.stderr.split("\n"), *told(done.stdout_bytes, tmp_path).split("\n")):
            assert line.isprintable(), repr(line)
        return done.output

    return run


def told(output: bytes, folder: Path) -> str:
    """Return a verb's results without the paths of files: those are bytes, for the next command."""
    for path in sorted(map(os.fsencode, folder.rglob("*")), key=len, reverse=True):
        output = output.replace(path, b"")
    return output.decode()


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


@every_name
def test_a_bundle_is_signed_and_verified(
    folder: Path, name: bytes, verb: Callable[..., str]
) -> None:
    stem = os.fsdecode(name)
    keys, signers, signed = folder / "keys", folder / f"{stem} signers", folder / f"{stem}2.evc"
    line = verb("keys", "new", "ci", "--folder", keys / stem, "--no-passphrase")
    signers.write_text("\n".join(row for row in line.splitlines() if " ssh-ed25519 " in row))
    verb("keys", "list", "--folder", keys / stem)
    verb("sign", folder / f"{stem}.evc", "--key", keys / stem / "ci", "-o", signed)
    verb("verify", signed, "--allowed-signers", signers)
    verb("verify", folder / f"{stem}.evc", "--allowed-signers", signers, code=1)
    verb("sign", signed, "--key", keys / stem / "ci")


@every_name
def test_what_is_flashed_may_be_called_so(
    folder: Path, name: bytes, verb: Callable[..., str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    stem = os.fsdecode(name)
    wheels = folder / f"{stem} wheels"
    wheels.mkdir()
    runtime = list_wheel(write_runtime_wheel(wheels))
    write_list(wheels, WheelList("pi4", "bookworm", "3.11", "litert", (), "", "", (runtime,)))
    given = ("flash", folder / f"{stem}.evc", "--wheels", wheels, "--allow-unsigned")
    verb(*given, "--board", "pi4", "--bundle-app", folder / f"{stem} app")
    verb(*given, "--board", "pi4", "--ansible", folder / f"{stem} ansible")
    verb(*given, "--board", "pi4", "--layer", folder / f"{stem} layer")
    monkeypatch.setenv("PATH", FakeBoard(tmp_path / "board").path())
    verb(*given, "--to", "pi@fake", "--dry-run")


@every_name
def test_bundles_are_served_by_their_own_names(
    folder: Path, name: bytes, verb: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the command line to the page's list of voices."""
    lists: list[object] = []

    def started(app: Starlette, options: object, announce: Callable[[], None]) -> object:
        client = TestClient(app, base_url="http://127.0.0.1:8765")
        lists.append(client.get("/facts").json())
        return SimpleNamespace(run=lambda sockets: announce())

    monkeypatch.setattr("edge_vc.serve.server.make_server", started)
    verb("serve", folder / f"{os.fsdecode(name)}.evc", "--port", "0")
    assert lists


@pytest.mark.slow
@every_name
def test_systems_and_corpora_are_evaluated(
    folder: Path, name: bytes, verb: Callable[..., str]
) -> None:
    pytest.importorskip("resemblyzer")
    stem = os.fsdecode(name)
    corpus = folder / f"{stem} eval"
    for role in ("unseen-source", "target-reference"):
        shutil.copytree(folder / stem, corpus / role / stem)
    conversions = folder / f"{stem} conversions"
    shutil.copytree(folder / stem, conversions)
    systems = ("source", folder / f"{stem}.evc", folder / f"{stem}.onnx", conversions)
    saved, audio = folder / f"{stem}.json", folder / f"{stem} audio"
    outputs = ("--json", saved, "--audio", audio, "--plot", folder / f"{stem}.png")
    verb("evaluate", *systems, "--corpus", corpus, "--per-speaker", "1", *outputs)
    verb("report", saved, "--audio", audio, "-o", folder / f"{stem}.html")
    verb("target-voice", folder / stem, "-o", folder / f"{stem} voice.json", code=2)


@pytest.mark.slow
@every_name
def test_what_is_trained_may_be_called_so(
    folder: Path, name: bytes, verb: Callable[..., str], tmp_path: Path
) -> None:
    stem = os.fsdecode(name)
    voices = folder / f"{stem} voice"
    voices.mkdir()
    for path in sorted(record(folder.parent / "plain", 4, 20.0).iterdir()):
        path.rename(voices / f"{stem}{path.name}")
    few = ("--steps", "1", "--threads", "1")
    small = (
        "--recipe",
        "hama",
        "--set",
        "views.copies=1",
        "--set",
        "crops=2",
        "--consent",
        "Ours.",
    )
    out = folder / f"{stem} run"
    verb("train", "teacher", "--target", voices, "--out", out, *small, *few)
    weights = out / "voice.safetensors"
    labels = folder / f"{stem} labels"  # one step is too few to say anything with
    said = verb("label", folder / stem, "--teacher", weights, "-o", labels, code=1)
    assert "0 of 2 recordings labelled" in said


@pytest.mark.slow
@every_name
def test_students_may_be_called_so(
    folder: Path, name: bytes, verb: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_vc.training.student.run.PITCH_STEPS", 2)
    stem = os.fsdecode(name)
    few = ("--tier", "nano", "--steps", "1", "--threads", "1")
    verb("train", "student", "--corpus", folder / stem, "--out", folder / f"{stem} student", *few)
    student = folder / f"{stem} student" / "student.safetensors"
    words = ("--licence", "CC0-1.0", "--consent", "Ours.", "--name", "ours", "--format", "onnx")
    verb("export", student, "-o", folder / f"{stem}3.evc", *words)
    verb("train", "contents", "--corpus", folder / stem, "--out", folder / f"{stem} contents",
         "--teacher", "hama", "--steps", "1", "--threads", "1")  # fmt: skip


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
