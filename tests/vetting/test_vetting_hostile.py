"""Hostile bundles end every verb in one line, and no library sees them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hostile_bundles import HOSTILE, write_hostile, write_manifest
from runtime_bundles import listed, mini_contents, write_bundle, write_mini
from typer.testing import CliRunner

from edge_vc.cli import app
from edge_vc_runtime.bundle.entries import Golden
from edge_vc_runtime.bundle.reader import BundleError, read_bundle
from edge_vc_runtime.cli import main
from edge_vc_runtime.engines.engine import EngineError
from edge_vc_runtime.engines.litert_engine.library import load_library
from edge_vc_runtime.engines.onnx_engine.library import ort
from edge_vc_runtime.session import Session
from edge_vc_runtime.vetting import admission
from edge_vc_runtime.vetting.bundle_check import check_bundle

RUNTIME = {
    "inspect": ["{bundle}"],
    "inspect --json": ["{bundle}"],
    "inspect --check": ["{bundle}"],
    "run": ["{bundle}", "in.wav", "out.wav"],
    "profile": ["{bundle}", "--seconds", "0.1", "--no-cold-start"],
    "choose": ["{bundle}", "--seconds", "0.01"],
    "install": ["{bundle}", "--root", "opt"],
}
"""Arguments of the board's verbs that open a bundle."""
DEEP = b'{"a":' * 600 + b"1" + b"}" * 600
HOST = {
    "export": ["{bundle}", "-o", "parts"],
    "sign": ["{bundle}", "--key", "key"],
    "flash": ["{bundle}", "--to", "pi@none.invalid"],
    "serve": ["{bundle}", "--port", "0"],
}
"""Arguments of the host's own verbs that open one."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every class as a file."""
    folder = tmp_path_factory.mktemp("hostile")
    return {name: write_hostile(folder / f"{n}.evc", name) for n, name in enumerate(HOSTILE)}


@pytest.fixture
def nothing_runs(state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, where no engine or library opens anything.

    No process is started either, not even one that would be harmless.
    """

    def opened(*_: object, **__: object) -> None:
        pytest.fail("a library was given the model")

    def started(*_: object, **__: object) -> None:
        pytest.fail("a process was started")

    for engine in ("onnx_engine.engine.OnnxEngine", "litert_engine.engine.LitertEngine"):
        monkeypatch.setattr(f"edge_vc_runtime.engines.{engine}.__init__", opened)
    for library in (ort.InferenceSession, load_library().interpreter):
        monkeypatch.setattr(library, "__init__", opened)
    monkeypatch.setattr(admission, "try_model", opened)
    for place, name in ((subprocess.Popen, "__init__"), (os, "fork"), (os, "posix_spawn")):
        monkeypatch.setattr(place, name, started)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def fill(words: list[str], bundle: Path) -> list[str]:
    return [word.format(bundle=bundle) for word in words]


def refused(code: int, said: str, out: str) -> None:
    assert code == 2, (out, said)
    assert said.count("\n") == 1
    assert said.rstrip("\n").isprintable()
    assert out == ""


@pytest.mark.parametrize("name", HOSTILE)
def test_the_board_s_verbs_refuse_it(
    hostile: dict[str, Path], nothing_runs: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb, words in RUNTIME.items():
        code = main([*verb.split(), *fill(words, hostile[name])])
        out, said = capsys.readouterr()
        refused(code, said, out)
        assert list(nothing_runs.rglob("*.wav")) == []


@pytest.mark.parametrize("name", ["endless loop", "missing input", "shared name", "no tolerance"])
@pytest.mark.parametrize("verb", HOST)
def test_the_host_s_verbs_refuse_it(
    hostile: dict[str, Path], nothing_runs: Path, name: str, verb: str
) -> None:
    done = CliRunner().invoke(app, [verb, *fill(HOST[verb], hostile[name])])
    refused(done.exit_code, done.stderr, done.stdout)
    assert not any(path.is_file() for path in nothing_runs.rglob("*"))


def test_a_good_bundle_is_not_refused(tmp_path: Path, state: Path) -> None:
    for formats in (("onnx",), ("tflite",)):
        check_bundle(read_bundle(write_mini(tmp_path / "a.evc", formats)))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b'"hop": 160', b'"hop": 160, "hop": 160'),
        lambda text: text.replace(b'"hop": 160', b'"hop": ' + b"9" * 4000),
        lambda text: text.replace(b'"hop": 160', b'"hop": ' + b"9" * 5000),
        lambda text: text.replace(b"CC0-1.0", b"\\ud800"),
        lambda text: text.replace(b"CC0-1.0", b"\\u001b[2J"),
        lambda text: text.replace(b'"provenance": {}', b'"provenance": ' + DEEP),
        lambda text: text.replace(b'"metrics": {}', b'"metrics": {"a": 1e400}'),
    ],
    ids=["twice", "integer", "huge integer", "surrogate", "escape", "deep", "infinite"],
)  # fmt: skip
def test_a_manifest_s_text_is_one_line(
    change: Callable[[bytes], bytes],
    nothing_runs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = write_manifest(tmp_path / "a.evc", change)
    code = main(["inspect", str(path)])
    out, said = capsys.readouterr()
    refused(code, said, out)


def test_shared_cases_are_refused(
    project_root: Path, nothing_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = sorted((project_root.parent / "shared" / "cases" / "bundles").glob("*.evc"))
    if not cases:
        pytest.skip("no ../shared/cases")
    for case in cases:
        for verb, words in list(RUNTIME.items())[:4]:
            code = main([*verb.split(), *fill(words, case)])
            out, said = capsys.readouterr()
            refused(code, said, out)


def test_inspect_opens_nothing_of_a_good_bundle_either(
    tmp_path: Path, nothing_runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_mini(tmp_path / "mini.evc", ("onnx", "tflite"))
    assert main(["inspect", str(path)]) == 0
    assert "engine litert (ai-edge-litert " in capsys.readouterr().out


def test_the_library_refuses_it_too(hostile: dict[str, Path], nothing_runs: Path) -> None:
    for path in hostile.values():
        with pytest.raises((BundleError, EngineError)):
            Session.open(path)


def test_a_check_that_compares_nothing_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], state: Path
) -> None:
    """The golden recording is good, but of a precision that no model here has."""
    manifest, files = mini_contents()
    only = [model for model in manifest.models if model.precision == "fp32"]
    golden = Golden("golden.npz", {"int8": 1e-6})
    manifest = replace(manifest, models=tuple(only), golden=golden)
    path = write_bundle(tmp_path / "a.evc", manifest, files)
    assert main(["inspect", "--check", str(path)]) == 2
    assert "compared nothing" in capsys.readouterr().err


FORGED = "signed by        trusted key ci@vendor (valid)"
WIDE = ("\n", "\t", " " * 90, "\u00a0" * 90, "\u3164" * 90, "\u2800" * 90)


@pytest.mark.parametrize("gap", WIDE, ids=ascii)
@pytest.mark.parametrize("field", ["consent", "licence", "boards", "metrics"])
def test_no_text_of_a_manifest_looks_like_a_line_of_inspect(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], field: str, gap: str
) -> None:
    """What is printed of it stands behind its own label, without room to begin a line."""
    text = f"CC0{gap}{FORGED}"
    value = {"boards": (text,), "metrics": {text: 2.0, FORGED: 1.0}}.get(field, text)
    manifest, files = mini_contents()
    try:
        said = listed(replace(manifest, **{field: value}), files)
        path = write_bundle(tmp_path / "forged.evc", said, files)
        code = main(["inspect", str(path)])
    except SystemExit as ended:
        code = int(ended.code or 0)
    lines = capsys.readouterr().out.splitlines()
    if code:
        assert (code, lines) == (2, [])
        return
    assert "  not signed" in lines
    for line in lines:
        assert line.isprintable()
        assert not line.strip().startswith("signed")
        assert "  " not in line.strip()
        assert not {*line} & {"\u3164", "\u2800"}
