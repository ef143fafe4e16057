"""The benchmark that counts instructions, as far as it goes without an emulated board."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest
from benchmark_scripts import load_benchmark

from edge_vc_boards.emulation.error import UnavailableError
from edge_vc_boards.emulation.hop_cost import HopCost, engine_precisions
from edge_vc_boards.profile_folder import load_board
from edge_vc_runtime.bundle.reader import read_bundle


@pytest.fixture
def counted(project_root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark on a board where every further step costs one instruction more."""
    module = load_benchmark(project_root, "instructions")

    def cost(board: object, path: Path, engine: str, precision: str, **options: int) -> HopCost:
        steps = options["steps"]
        alone = {"integer": 1e6, "memory": 1e6 + steps}
        whole = {**alone, "branch": 5e4}
        return HopCost(engine, "1.2", f"model.{precision}.onnx", steps, whole, alone)

    monkeypatch.setattr(module, "hop_cost", cost)
    monkeypatch.setattr(module, "make_root", lambda root: False)
    return module


def test_two_runs_are_compared_and_the_longer_is_kept(
    counted: ModuleType, project_root: Path, tmp_path: Path
) -> None:
    bundle, out = project_root / "edge_vc/assets/kathleen-nano.evc", tmp_path / "new" / "out.json"
    arguments = [str(bundle), "--boards", "pi4,pi5", "--engine", "onnx", "--steps", "1000"]
    assert counted.main([*arguments, "--precision", "int8", "--json", str(out)]) == 0
    result = json.loads(out.read_text())
    assert result["environment"] == "emulated"
    assert result["command"].startswith(f"python benchmarks/instructions.py {bundle} --boards")
    pi4, pi5 = result["figures"]
    assert (pi4["board"], pi4["core"], pi5["core"]) == ("pi4", "Cortex-A72", "Cortex-A76")
    assert pi4["instructions"] == 2_052_000
    assert pi4["engine_instructions"] == 2_002_000
    assert pi4["spread"] == pytest.approx(1000 / 2_052_000)
    assert pi4["macs_per_hop"] == pytest.approx(530_000, rel=0.01)


def test_the_table_has_a_column_per_core(
    counted: ModuleType, project_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, out = project_root / "edge_vc/assets/kathleen-nano.evc", tmp_path / "out.json"
    assert counted.main([str(bundle), "--engine", "onnx", "--json", str(out)]) == 0
    capsys.readouterr()
    assert load_benchmark(project_root, "table").main([str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| model | engine | Cortex-A53 | Cortex-A72 | Cortex-A76 |"
    assert lines[2] == "| `kathleen-nano:int8` | onnx 1.2 | 2.05 M | 2.05 M | 2.05 M |"
    assert "(emulated), one thread" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["none.evc"], "none.evc"),
        (["edge_vc/assets/kathleen-nano.evc", "--boards", "pi9"], "no board 'pi9'"),
    ],
    ids=["no bundle", "no board"],
)
def test_bad_input_is_one_line(
    arguments: list[str], complaint: str, counted: ModuleType, project_root: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(project_root)
    assert counted.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("instructions: ")
    assert complaint in error
    assert error.count("\n") == 1


def test_without_a_root_it_says_why(
    counted: ModuleType, project_root: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def refuse(root: Path) -> bool:
        raise UnavailableError("mount is missing")

    monkeypatch.setattr(counted, "make_root", refuse)
    assert counted.main([str(project_root / "edge_vc/assets/kathleen-nano.evc")]) == 2
    assert capsys.readouterr().err == "instructions: mount is missing\n"


def test_every_engine_with_a_model_is_a_system(project_root: Path) -> None:
    manifest = read_bundle(project_root / "edge_vc/assets/kathleen-base.evc").manifest
    assert {("onnx", "int8"), ("onnx", "fp32")} <= set(engine_precisions(manifest))
    assert load_board("pi4").emulation.cpu == "cortex-a72"
