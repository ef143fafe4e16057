from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmark_scripts import load_benchmark
from export_toys import FACTS, quantized_toy, toy

from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.model_file import ModelFile
from edge_vc_export.bundle.writer import write_bundle
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.tflite import export_tflite


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks")
    models = [
        ModelFile(
            export(model, folder / f"{precision}.{format}", precision=precision, **FACTS),
            tier="nano",
            parameters=2_000_000,
            macs_per_second=8e6,
        )
        for precision, model in (("int8", quantized_toy()), ("fp32", toy()))
        for format, export in (("onnx", export_onnx), ("tflite", export_tflite))
    ]
    says = BundleFacts("toy", "0.1.0", "CC0-1.0", "Nobody's voice.", "Free.\n")
    return write_bundle(folder / "toy.evc", says, models)


PRECISIONS, ENGINES = ("int8", "fp32"), ("onnx", "litert")


QUICK = ["--rounds", "3", "--steps", "34", "--settle", "1", "--warmup", "2"]


@pytest.fixture(scope="module")
def result(bundle: Path, project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "new" / "latency.json"
    assert (
        load_benchmark(project_root, "latency").main([str(bundle), *QUICK, "--json", str(path)])
        == 0
    )
    return path


def test_latency_counts_every_step_of_every_contender(result: Path) -> None:
    found = json.loads(result.read_text())

    assert set(found["systems"]) == {
        f"toy:{precision}:{engine}" for precision in PRECISIONS for engine in ENGINES
    }
    for system in found["systems"].values():
        for mode in ("tight", "paced"):
            assert system[mode]["hops"] == 102
            assert 0 < system[mode]["p50_ms"] <= system[mode]["p99_ms"]


def test_latency_says_what_machine_and_what_was_done(result: Path) -> None:
    found = json.loads(result.read_text())

    assert found["machine"]["cores"] >= 1
    assert found["setup"] == {"rounds": 3, "steps": 34, "settle": 1, "warmup": 2, "threads": 1}
    for word in ("Statistic", "Leaves out", "tight", "paced", "warmed up"):
        assert word in found["about"]
    assert [entry["mode"] for entry in found["ratios"]] == ["tight"] * 4 + ["paced"] * 4
    for entry in found["ratios"]:
        assert entry["low"] <= entry["median"] <= entry["high"]


def test_one_mode_and_chosen_precisions(
    bundle: Path, project_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = load_benchmark(project_root, "latency").main(
        [f"{bundle}:fp32:litert", *QUICK, "--mode", "tight"]
    )

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert len(lines) == 1
    assert lines[0].startswith("toy:fp32:litert")


def test_a_system_twice_is_refused(
    bundle: Path, project_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = load_benchmark(project_root, "latency").main([str(bundle), f"{bundle}:int8", *QUICK])

    assert code == 2
    assert "toy:int8:onnx is measured already" in capsys.readouterr().err


def test_a_system_that_is_not_in_the_bundle_is_refused(
    bundle: Path, project_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load_benchmark(project_root, "latency").main([f"{bundle}:fp16", *QUICK]) == 2
    assert "has no such model" in capsys.readouterr().err


def test_the_table_holds_the_measured_figures(
    result: Path, project_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load_benchmark(project_root, "table").main([str(result)]) == 0

    text = capsys.readouterr().out
    figures = json.loads(result.read_text())["systems"]["toy:int8:litert"]["tight"]
    assert f"| {figures['p50_ms']:.3f} ms |" in text
    assert "| `toy:int8:litert` |" in text
    assert "2.00 M" in text
    assert "3 interleaved rounds of 34 steps" in text


def test_a_latency_of_an_older_version_gives_the_same_table(
    result: Path, project_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(result.read_text())
    found["contenders"] = found.pop("systems")
    older = tmp_path / "older.json"
    older.write_text(json.dumps(found))

    for path in (result, older):
        assert load_benchmark(project_root, "table").main([str(path)]) == 0
    table = capsys.readouterr().out
    assert table[: len(table) // 2] == table[len(table) // 2 :]


def test_the_table_goes_between_its_markers(
    result: Path, project_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, readme = load_benchmark(project_root, "table"), tmp_path / "README.md"
    readme.write_text("before\n<!-- latency -->\nold\n<!-- /latency -->\nafter\n")

    assert table.main([str(result), "--into", str(readme)]) == 0
    once = readme.read_text()
    assert table.main([str(result), "--into", str(readme)]) == 0

    assert readme.read_text() == once
    assert once.startswith("before\n<!-- latency -->\n| model |")
    assert once.endswith("<!-- /latency -->\nafter\n")
    assert "old" not in once

    readme.write_text("no markers")
    assert table.main([str(result), "--into", str(readme)]) == 2
    assert "has to hold <!-- latency -->" in capsys.readouterr().err


def test_footprint_starts_new_processes(
    bundle: Path, project_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "footprint.json"
    code = load_benchmark(project_root, "footprint").main(
        [str(bundle), "--precision", "int8", "--runs", "1", "--json", str(path)]
    )

    found = json.loads(path.read_text())
    figures = found["figures"]
    assert code == 0
    assert (found["precision"], found["engine"], found["runs"]) == ("int8", "litert", 1)
    parts = (figures[key]["median"] for key in ("import_ms", "open_ms", "first_step_ms"))
    assert sum(parts) == pytest.approx(figures["total_ms"]["median"])
    assert figures["rss_mb"]["median"] > 10
    capsys.readouterr()

    assert load_benchmark(project_root, "table").main([str(path)]) == 0
    assert "resident memory" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["latency", "footprint", "table", "voice"])
def test_help_teaches(name: str, project_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        load_benchmark(project_root, name).main(["--help"])
    assert "examples:" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["latency", "footprint"])
def test_a_missing_bundle_is_one_line(
    name: str, project_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load_benchmark(project_root, name).main([str(tmp_path / "none.evc")]) == 2
    assert "No such file" in capsys.readouterr().err
