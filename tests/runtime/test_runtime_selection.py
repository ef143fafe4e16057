"""Which engine is taken, and the reason that is given for it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from runtime_bundles import listed, mini_contents, write_bundle, write_mini

from edge_vc_runtime import engines
from edge_vc_runtime.board_profile import (
    BoardProfile,
    BoardProfileError,
    find_board,
    user_folder,
)
from edge_vc_runtime.bundle.reader import BundleError, read_bundle
from edge_vc_runtime.cli import main
from edge_vc_runtime.engines import EngineError, selection
from edge_vc_runtime.engines.kind import LibraryVersion
from edge_vc_runtime.engines.measurement import (
    EngineTiming,
    Measurement,
    blank_measurement,
    load_measurement,
    save_measurement,
)
from edge_vc_runtime.profiling.comparison import compare_engines
from edge_vc_runtime.session import Session

PI = "Raspberry Pi 4 Model B Rev 1.4"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, and a machine that no profile knows."""
    for kind in ("STATE", "CONFIG"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind.lower()))
    policy = tmp_path / "config" / "edge-vc" / "trust.json"
    policy.parent.mkdir(parents=True, exist_ok=True)
    policy.write_text('{"unseen": "allow"}')
    monkeypatch.setattr(selection, "find_board", lambda root: find_board(tmp_path / "root"))
    return tmp_path


@pytest.fixture
def board(home: Path) -> Callable[[str], None]:
    """Make this machine one that its device tree names."""

    def pretend(model: str) -> None:
        place = home / "root" / "proc" / "device-tree" / "model"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{model}\0")

    return pretend


def remember(path: Path, *times: tuple[str, str, float], threads: int = 1) -> Measurement:
    """Keep a measurement of the bundle that says what the test wants."""
    timings = tuple(EngineTiming(e, "library", "1.0", p, us) for e, p, us in times)
    made = blank_measurement(read_bundle(path).manifest, threads)
    made = replace(made, timings=timings)
    save_measurement(made)
    return made


def without(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> engines.EngineFactory:
        raise ModuleNotFoundError(name=f"lib{engine}")

    kind = replace(engines.ENGINES[engine], load=absent)
    monkeypatch.setitem(engines.ENGINES, engine, kind)


def taken(path: Path, *arguments: object, **named: object) -> tuple[str, str, str]:
    made = Session.open(path, *arguments, **named).selection  # type: ignore[arg-type]
    return made.engine, made.precision, made.reason


def test_asked_for(both: Path, board: Callable[[str], None]) -> None:
    board(PI)
    remember(both, ("litert", "fp32", 1.0))
    assert taken(both, "onnx") == ("onnx", "fp32", "asked for")
    made = Session.open(both, "litert").selection
    assert (made.engine, made.library) == ("litert", "ai-edge-litert")
    assert re.fullmatch(r"\d+\.\d+\.\d+", made.version)


def test_nothing_known(both: Path, mini: Path) -> None:
    reason = "nothing measured here yet: run `edge-vc-rt choose BUNDLE`"
    assert taken(both) == ("litert", "fp32", reason)
    assert taken(both, precision="int8") == ("litert", "int8", reason)
    assert taken(mini) == ("onnx", "fp32", "the only engine for the bundle's onnx models")


def test_board_before_measurement(both: Path, board: Callable[[str], None]) -> None:
    board(PI)
    remember(both, ("onnx", "fp32", 1.0))
    assert taken(both) == ("litert", "fp32", f"board profile pi4 (its model is '{PI}')")
    assert Session.open(both).threads == 1


def test_installed_profile_before_the_device_tree(
    both: Path, home: Path, board: Callable[[str], None]
) -> None:
    board(PI)
    system = home / "root" / "etc" / "edge-vc" / "board.json"
    user = home / "config" / "edge-vc" / "board.json"
    for place, name, threads in ((system, "shed", 2), (user, "desk", 3)):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps({"name": name, "engine": "onnx", "threads": threads}))
        session = Session.open(both)
        assert session.selection.reason == f"board profile {name} ({place})"
        assert (session.selection.engine, session.threads) == ("onnx", threads)
    assert Session.open(both, threads=1).threads == 1


def test_board_whose_engine_is_missing(
    both: Path, board: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    board(PI)
    without("litert", monkeypatch)
    engine, precision, reason = taken(both)
    assert (engine, precision) == ("onnx", "fp32")
    assert reason.startswith("litert cannot run it (engine litert needs liblitert, which is not")
    assert reason.endswith("nothing measured here yet: run `edge-vc-rt choose BUNDLE`")
    remember(both, ("onnx", "fp32", 1.0))
    assert "; fastest of 1 measured here on 2" in taken(both)[2]


def test_model_that_one_engine_refuses(tmp_path: Path) -> None:
    manifest, files = mini_contents(formats=("tflite", "onnx"))
    files["model.fp32.tflite"] = files["model.fp32.tflite"][:-100]
    bundle = write_bundle(tmp_path / "a.evc", listed(manifest, files), files)
    engine, _, reason = taken(bundle)
    assert engine == "onnx"
    assert "litert cannot run it (model.fp32.tflite: " in reason
    assert taken(bundle, precision="int8")[0] == "litert"
    with pytest.raises(EngineError, match=r"model\.fp32\.tflite"):
        Session.open(bundle, "litert")


def test_no_engine_at_all(both: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in engines.ENGINES:
        without(engine, monkeypatch)
    with pytest.raises(EngineError, match=r"needs liblitert, .*; .*needs libonnx, ") as error:
        Session.open(both)
    assert "\n" not in str(error.value)
    with pytest.raises(BundleError, match="has no fp16 model"):
        Session.open(both, precision="fp16")


@pytest.mark.parametrize(
    ("times", "engine", "precision"),
    [
        ([("litert", "fp32", 50.0), ("onnx", "fp32", 40.0)], "onnx", "fp32"),
        ([("litert", "fp32", 40.0), ("onnx", "fp32", 50.0)], "litert", "fp32"),
        ([("litert", "fp32", 50.0), ("litert", "int8", 46.0)], "litert", "fp32"),
        ([("litert", "fp32", 50.0), ("litert", "int8", 30.0)], "litert", "int8"),
        ([("litert", "int8", 30.0)], "litert", "int8"),
    ],
    ids=["onnx", "litert", "int8 hardly faster", "int8 faster", "int8 alone"],
)
def test_what_was_fastest(
    both: Path, times: list[tuple[str, str, float]], engine: str, precision: str
) -> None:
    remember(both, *times)
    found = taken(both)
    assert found[:2] == (engine, precision)
    assert re.fullmatch(rf"fastest of {len(times)} measured here on \d{{4}}-\d\d-\d\d", found[2])


def test_measurement_of_one_precision(both: Path) -> None:
    remember(both, ("onnx", "int8", 9.0), ("litert", "int8", 10.0), ("litert", "fp32", 1.0))
    assert taken(both, precision="int8")[:2] == ("onnx", "int8")
    assert taken(both, threads=2)[2].startswith("nothing measured")


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "0" * 64},
        {"cpu": "another"},
        {"libraries": ()},
        {"threads": 2},
        {"timings": ()},
    ],
    ids=lambda change: next(iter(change)),
)
def test_measurement_that_no_longer_holds(both: Path, change: dict[str, object]) -> None:
    made = remember(both, ("onnx", "fp32", 1.0))
    now = replace(made, created="2030-01-01T00:00:00+00:00", timings=())
    assert load_measurement(now) == made
    if "timings" in change:
        save_measurement(now)
        assert load_measurement(now) is None
    else:
        assert load_measurement(replace(now, **change)) is None


@pytest.mark.parametrize(
    "other",
    [
        {"libraries": (LibraryVersion("onnxruntime", "9.9.9"),)},
        {"libraries": (LibraryVersion("onnxruntime-gpu", "1.31.1"),)},
        {"cpu": "another"},
        {"threads": 2},
        {"digest": "0" * 64},
    ],
    ids=["version", "library", "cpu", "threads", "bundle"],
)
def test_environments_do_not_overwrite_each_other(both: Path, other: dict[str, object]) -> None:
    here = remember(both, ("onnx", "fp32", 1.0))
    there = replace(here, timings=(EngineTiming("litert", "l", "1", "fp32", 2.0),), **other)
    save_measurement(there)
    assert load_measurement(replace(here, timings=())) == here
    assert load_measurement(replace(there, timings=())) == there
    assert taken(both)[0] == "onnx"
    later = replace(here, created="2030-01-01T00:00:00+00:00")
    assert save_measurement(later) == save_measurement(here), "measuring again replaces the file"


def test_kept_file(both: Path, home: Path) -> None:
    made = remember(both, ("onnx", "fp32", 1.0))
    folder = home / "state" / "edge-vc"
    (file,) = folder.iterdir()
    for damage in (b"", b"{", b"[]", b'{"digest": 1}', b"\xff", b"[" * 100_000):
        file.write_bytes(damage)
        assert load_measurement(replace(made, timings=())) is None
        assert taken(both)[2].startswith("nothing measured here")
    save_measurement(made)
    assert [path.name for path in folder.iterdir()] == [file.name]


def test_interrupted_while_keeping(both: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = remember(both, ("onnx", "fp32", 1.0))

    def interrupted(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_measurement(replace(made, created="later"))
    assert load_measurement(replace(made, timings=())) == made
    assert len(list((home / "state" / "edge-vc").iterdir())) == 1


def test_comparing_for_real(both: Path) -> None:
    made, refusals = compare_engines(read_bundle(both), seconds=0.02)
    found = [(c.engine, c.precision) for c in made.timings]
    assert found == [(e, p) for e in ("litert", "onnx") for p in ("int8", "fp32")]
    assert refusals == ()
    assert all(0.1 < c.us_per_hop < 10_000 for c in made.timings)
    assert {v.library for v in made.libraries} >= {"ai-edge-litert", "onnxruntime"}


def test_command_measures_and_keeps(
    both: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["choose", str(both), "--seconds", "0.02"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("engine   precision   us per hop")
    assert sorted(line.split()[0] for line in lines[1:5]) == ["litert"] * 2 + ["onnx"] * 2
    assert "1.00x" in lines[1]
    assert re.match(r"engine (litert|onnx) \(.*\), (int8|fp32): fastest of 4 measured", lines[5])
    assert lines[6].startswith(f"kept in {home / 'state' / 'edge-vc'}")
    assert main(["inspect", str(both), "--check"]) == 0
    out = capsys.readouterr().out
    assert lines[5] in out
    assert len(re.findall(r"^golden .*: equal,", out, re.M)) == 4


def test_command_names_what_cannot_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest, files = mini_contents(formats=("onnx", "tflite"))
    files["model.int8.tflite"] = b"nothing"
    bundle = write_bundle(tmp_path / "a.evc", listed(manifest, files), files)
    assert main(["choose", str(bundle), "--seconds", "0.01"]) == 0
    assert "litert   int8        cannot run: model.int8.tflite: holds" in capsys.readouterr().out


def test_command_with_bad_input(
    both: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["choose", str(tmp_path / "none.evc")]) == 2
    assert main(["choose", str(both), "--threads", "65"]) == 2
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/none")
    assert main(["choose", str(both), "--seconds", "0.01"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 3
    assert "set XDG_STATE_HOME" in err
    for seconds in ("0", "nan", "x", "61"):
        with pytest.raises(SystemExit):
            main(["choose", str(both), "--seconds", seconds])


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "pi3"),
        ("Raspberry Pi Zero 2 W Rev 1.0", "zero2"),
        ("Raspberry Pi 5 Model B Rev 1.0", "pi5"),
        ("Raspberry Pi Compute Module 4 Rev 1.0", "pi4"),
        ("NVIDIA Jetson Orin Nano Engineering Reference Developer Kit", "orin-nano"),
        ("NVIDIA Jetson Nano Developer Kit", "nano"),
        ("Banana Pi BPI-M5", None),
    ],
)
def test_boards_are_recognised(
    home: Path, board: Callable[[str], None], model: str, name: str | None
) -> None:
    board(model)
    found = find_board(home / "root")
    assert (found and found.name) == name


def test_boards_file_of_our_own(home: Path, board: Callable[[str], None]) -> None:
    board("Toaster 2")
    boards = home / "boards.json"
    assert find_board(home / "root", boards=boards) is None
    entry = {"name": "toaster", "models": ["Toaster"], "engine": "onnx", "threads": 2}
    boards.write_text(json.dumps([entry]))
    assert find_board(home / "root", boards=boards) == BoardProfile(
        "toaster", "onnx", 2, "its model is 'Toaster 2'"
    )
    for damage in ("{", "{}}", '[{"name": 1}]', "[1]", "3"):
        boards.write_text(damage)
        with pytest.raises(BoardProfileError, match="install edge-vc-runtime again"):
            find_board(home / "root", boards=boards)


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("{", "is not JSON"),
        ('{"name": "a", "engine": "onnx"}', "threads is missing"),
        ('{"name": "a", "engine": "onnx", "threads": 0}', "threads is 0"),
        ('{"name": "a", "engine": "onnx", "threads": 1, "x": 1}', "x is not a known key"),
    ],
)
def test_profile_that_cannot_be_read(both: Path, home: Path, text: str, fact: str) -> None:
    place = home / "config" / "edge-vc" / "board.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    with pytest.raises(EngineError, match=rf"{place}: .*{fact}.*; delete it or install again"):
        Session.open(both)


def test_folders() -> None:
    assert user_folder("STATE", ".local/state", {"XDG_STATE_HOME": "/s"}) == Path("/s/edge-vc")
    for wrong in ({}, {"XDG_STATE_HOME": "relative"}):
        place = user_folder("STATE", ".local/state", {"HOME": "/h", **wrong})
        assert place == Path("/h/.local/state/edge-vc")


def test_default_precision_in_every_format(tmp_path: Path) -> None:
    manifest, _ = mini_contents(formats=("onnx", "tflite"))
    for default, precision in (("model.int8.onnx", "int8"), ("model.fp32.tflite", "fp32")):
        changed = replace(manifest, default=default)
        assert changed.model().file == default
        for format in ("onnx", "tflite"):
            assert changed.model(formats=(format,)).file == f"model.{precision}.{format}"
        assert changed.model("int8", ("tflite",)).file == "model.int8.tflite"
    models = tuple(m for m in manifest.models if m.file != "model.fp32.tflite")
    lacking = replace(manifest, models=models)
    assert lacking.model(formats=("tflite",)).file == "model.int8.tflite"


def test_report_records_the_selection(
    both: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "r.json"
    quick = ["--mode", "tight", "--seconds", "0.05", "--no-cold-start", "--json", str(saved)]
    assert main(["profile", str(both), *quick]) == 0
    made = json.loads(saved.read_bytes())
    assert made["setup"]["engine"] == "litert"
    assert made["setup"]["engine_library"] == "ai-edge-litert"
    assert made["setup"]["engine_reason"].startswith("nothing measured here yet")
    assert "us per hop, each run alone" in capsys.readouterr().out
    for key in ("engine_library", "engine_reason"):
        del made["setup"][key]
    saved.write_text(json.dumps(made))
    assert main(["report", str(saved)]) == 0


def test_cold_start_of_litert(both: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--engine", "litert", "--mode", "tight", "--seconds", "0.05", "--json", "-"]
    assert main(["profile", str(both), *arguments]) == 0
    made = json.loads(capsys.readouterr().out)
    assert 1 < made["cold_start"]["total_ms"] < 60_000
    assert 10 < made["memory"]["rss_mb"] < 1000


def test_golden_in_every_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = write_mini(tmp_path / "a.evc", ("onnx", "tflite"), hop=80, delay=40)
    assert main(["inspect", str(bundle), "--check"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("golden")]
    assert [line.split()[1:3] for line in lines] == [
        [p, e] for e in ("litert", "onnx") for p in ("fp32", "int8")
    ]
    assert np.all([": equal, at most 0.00e+00 off" in line for line in lines])
