"""Engines that other distributions register, seen wherever the project names engines."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runtime_engine import PLAIN

from edge_vc_runtime import engines
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.cli import main
from edge_vc_runtime.engines import (
    ENGINES,
    EngineError,
    EngineFactory,
    EngineKind,
    EngineLibrary,
    engine_kinds,
    engines_for,
    least_versions,
    register_engine,
    unregister_engine,
)
from edge_vc_runtime.engines.kind import LibraryVersion
from edge_vc_runtime.engines.measurement import installed_libraries
from edge_vc_runtime.engines.registry import find_kinds
from edge_vc_runtime.golden import replay_golden
from edge_vc_runtime.profiling.comparison import compare_engines
from edge_vc_runtime.session import Session

BUILT_IN = tuple(ENGINES)


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EngineKind]:
    """The engine, registered for one test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    register_engine(PLAIN)
    yield PLAIN
    unregister_engine(PLAIN.name)


def test_bundles_still_open_with_the_first_engine(plain: EngineKind, mini: Path) -> None:
    found = [kind.name for kind in engines_for(("onnx",))]
    assert (found[0], found[-1]) == ("onnx", "plain")
    assert Session.open(mini).engine[0] == "onnx"


def test_a_folder_is_all_that_an_engine_of_this_package_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (
        ("early_engine", "from runtime_engine import PLAIN\nfrom dataclasses import replace\n"
         "KIND = replace(PLAIN, name='early', preference=15)\n"),
        ("wrong_engine", "KIND = 5\n"),
    ):  # fmt: skip
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "kind.py").write_text(text)
    assert BUILT_IN[:2] == ("litert", "onnx")
    folders = [*engines.__path__, str(tmp_path)]
    monkeypatch.setattr(engines, "__path__", folders)
    with pytest.raises(TypeError, match="wrong_engine.kind: KIND is 5"):
        find_kinds(folders)
    (tmp_path / "wrong_engine/__init__.py").unlink()
    (tmp_path / "wrong_engine/kind.py").unlink()
    names = [kind.name for kind in find_kinds(folders)]
    assert names == ["litert", "early", *BUILT_IN[1:]]
    for name in ("early_engine", "early_engine.kind", "wrong_engine", "wrong_engine.kind"):
        sys.modules.pop(f"{engines.__name__}.{name}", None)


def test_it_runs_a_bundle(plain: EngineKind, mini: Path) -> None:
    session = Session.open(mini, "plain", precision="int8")
    assert session.engine == ("plain", "3.2.1")
    assert session.model.file == "model.int8.onnx"
    audio = np.random.default_rng(0).normal(0, 0.1, (3, session.hop)).astype(np.float32)
    heard = [session.step(hop).copy() for hop in audio]
    np.testing.assert_array_equal(heard[1], audio[0])


def test_help_names_it(plain: EngineKind, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("run", "profile"):
        with pytest.raises(SystemExit):
            main([verb, "--help"])
        names = ", ".join([*BUILT_IN, "plain"])
        assert f"auto or one of {names}" in " ".join(capsys.readouterr().out.split())
    unregister_engine("plain")
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    assert "plain" not in capsys.readouterr().out


def test_choose_measures_it(
    plain: EngineKind, both: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made, refusals = compare_engines(read_bundle(both), seconds=0.01)
    timed = [(each.precision, each.library) for each in made.timings if each.engine == "plain"]
    assert timed == [("int8", "plainlib"), ("fp32", "plainlib")]
    assert refusals == ()
    assert LibraryVersion("plainlib", "3.2.1") in made.libraries
    assert main(["choose", str(both), "--seconds", "0.01"]) == 0
    out = capsys.readouterr().out
    assert len(re.findall(r"^plain +(?:int8|fp32) .* plainlib 3\.2\.1$", out, re.M)) == 2


def test_profile_reports_it(
    plain: EngineKind, mini: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "r.json"
    quick = ["--mode", "tight", "--seconds", "0.05", "--no-cold-start", "--json", str(saved)]
    assert main(["profile", str(mini), "--engine", "plain", *quick]) == 0
    table = capsys.readouterr().out
    assert "plain (plainlib 3.2.1), threads: 1" in table
    assert "Nodes by kind, us per hop, by hand" in table
    assert re.search(r"PlainCopy x2\W+1\.5 \(100%\)", table)
    made = json.loads(saved.read_bytes())
    assert made["setup"]["engine"] == "plain"
    assert made["ops"] == [{"op": "PlainCopy", "nodes": 2, "us_per_hop": 1.5, "share": 1.0}]
    unregister_engine("plain")
    assert main(["report", str(saved)]) == 0, "a report of an engine that is unknown here"
    assert re.search(r"Nodes by kind, us per hop *\n", capsys.readouterr().out)


def test_golden_recording_is_replayed_by_it(plain: EngineKind, mini: Path) -> None:
    replays = {(r.engine, r.precision): r.equal for r in replay_golden(read_bundle(mini))}
    assert replays == {
        ("onnx", "fp32"): True,
        ("onnx", "int8"): True,
        ("plain", "fp32"): True,
        ("plain", "int8"): False,
    }


def test_new_bundles_state_its_least_version(plain: EngineKind) -> None:
    assert least_versions("onnx") == {"onnxruntime": "1.17", "plainlib": "3.0"}
    assert least_versions("tflite") == {"ai-edge-litert": "2.0", "tflite-runtime": "2.14"}
    unregister_engine("plain")
    assert least_versions("onnx") == {"onnxruntime": "1.17"}


def test_its_remedy_where_it_is_missing(
    plain: EngineKind, mini: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> EngineFactory:
        raise ModuleNotFoundError(name="plainlib")

    monkeypatch.setitem(ENGINES, "plain", replace(PLAIN, load=absent))
    with pytest.raises(EngineError) as error:
        Session.open(mini, "plain")
    assert str(error.value) == (
        "engine plain needs plainlib, which is not installed: pip install plainlib"
    )


def test_several_formats(plain: EngineKind, both: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "plain", replace(PLAIN, formats=("other", "onnx")))
    assert Session.open(both, "plain").model.format == "onnx"
    assert [kind.name for kind in engines_for(("tflite", "onnx"))] == [*BUILT_IN, "plain"]
    assert [kind.name for kind in engines_for(("other",))] == ["plain"]
    assert engines_for(("none",)) == ()


def test_names_are_taken_once(plain: EngineKind) -> None:
    register_engine(PLAIN)
    assert list(engine_kinds()) == [*BUILT_IN, "plain"]
    before = ENGINES["onnx"]
    with pytest.raises(ValueError, match="'onnx' is registered already"):
        register_engine(replace(PLAIN, name="onnx"))
    assert ENGINES["onnx"] is before


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"name": "auto"}, "cannot be called 'auto'"),
        ({"name": "No Name"}, "cannot be called 'No Name'"),
        ({"formats": ()}, "formats is empty"),
        ({"remedy": ""}, "a remedy where it is missing"),
    ],
)
def test_kinds_that_say_too_little(change: dict[str, object], fact: str) -> None:
    with pytest.raises(ValueError, match=fact):
        replace(PLAIN, **change)  # type: ignore[arg-type]


def test_only_installed_libraries_have_a_version() -> None:
    assert {"ai-edge-litert", "onnxruntime"} <= {each.library for each in installed_libraries()}
    nowhere = replace(PLAIN, libraries=(EngineLibrary("no-such-distribution"),))
    assert nowhere.installed() == ()


@pytest.fixture
def distributions(tmp_path: Path) -> dict[str, str]:
    """An environment in which two distributions name an engine, one of them a broken one."""
    site = tmp_path / "site"
    for name, value in (("plainlib", "runtime_engine:PLAIN"), ("broken", "no_module:KIND")):
        info = site / f"{name}-3.2.1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 3.2.1\n")
        (info / "entry_points.txt").write_text(f"[edge_vc.engines]\n{name} = {value}\n")
    paths = [str(site), str(Path(__file__).parent), *sys.path]
    return os.environ | {"PYTHONPATH": os.pathsep.join(paths), "XDG_STATE_HOME": str(tmp_path)}


def test_entry_points_register_engines(distributions: dict[str, str], mini: Path) -> None:
    command = [sys.executable, "-m", "edge_vc_runtime", "profile", str(mini), "--engine", "plain"]
    command += ["--mode", "tight", "--seconds", "0.05", "--json", "-"]
    done = subprocess.run(command, env=distributions, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert made["setup"]["engine_library"] == "plainlib"
    assert made["cold_start"]["total_ms"] > 0, "the new process finds the engine as well"
    assert (
        "edge_vc.engines: broken (no_module:KIND) is left out: No module named 'no_module'"
        in done.stderr
    )
