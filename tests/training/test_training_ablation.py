from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from edge_vc.training.teacher.dataset import Pack
from edge_vc.training.teacher.dataset_pack import write_pack
from edge_vc.training.teacher.run import chosen_settings


@pytest.fixture
def ablation(project_root: Path) -> ModuleType:
    path = project_root / "benchmarks" / "ablation.py"
    spec = importlib.util.spec_from_file_location("ablation", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_variant_changes_the_recipe(ablation: ModuleType) -> None:
    plain = chosen_settings("cpu", ["losses.consistency=0.1"])
    for name, changes in ablation.VARIANTS.items():
        settings = chosen_settings("cpu", ["losses.consistency=0.1", *changes])
        assert (settings == plain) == (name == "full"), name


@pytest.mark.slow
def test_variants_are_trained_once(
    ablation: ModuleType, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from speech_toys import pair

    write_pack(Pack((pair("kathleen", 1), pair("you", 2)), (), ()), tmp_path / "pack", "kathleen")
    small = ["network.channels=16", "network.encoder_blocks=1", "network.decoder_blocks=1"]
    small += ["frames=32", "own=1", "others=1", "unpaired=1", "inputs.mean_frames=32"]
    small += ["units=16", "retrieve_from=16"]
    command = ["train", "--work", str(tmp_path), "--pack", str(tmp_path / "pack"), "--steps", "2"]
    command += ["--only", "full", "istft head", *(w for s in small for w in ("--set", s))]
    assert ablation.main(command) == 0
    assert capfd.readouterr().out.count("ablation:") == 2
    assert ablation.is_finished(tmp_path / "istft-head")
    assert ablation.main(command) == 0
    assert "ablation:" not in capfd.readouterr().out


def test_figures_become_a_table(project_root: Path, tmp_path: Path) -> None:
    def score(value: float, less: float | None = None) -> dict[str, object]:
        keys = ("similarity", "word_error_rate", "dnsmos", "f0_correlation", "f0_error")
        apart = None
        if less is not None:
            between = {"value": less, "low": less - 0.01, "high": less + 0.01}
            apart = {"similarity": between, "word_error_rate": None}
        return {key: {"value": value} for key in keys} | {"less_the_first": apart}

    def variant(value: float, less: float | None = None) -> dict[str, object]:
        found = {"clean": score(value, less), "noisy": {"babble 10 dB": score(value - 0.1)}}
        return found | {"run": {"steps": 7, "device": "a GPU"}}

    recordings = variant(0.5, -0.3)
    recordings["clean"] = score(0.5, -0.3) | {"f0_correlation": None}
    result = {
        "benchmark": "ablation",
        "denoise_db": 25.0,
        "sentences": 24,
        "ceiling": score(0.9),
        "recordings": recordings,
        "variants": {"full": variant(0.8), "no noise": variant(0.7, -0.1)},
    }
    path = tmp_path / "ablation.json"
    path.write_text(json.dumps(result))
    script = project_root / "benchmarks" / "table.py"
    table = subprocess.run(
        [sys.executable, script, path], capture_output=True, text=True, check=True
    ).stdout
    assert "| full | 0.800 |  | 0.800 |  | 0.800 | 0.800 | 0.800 | 0.700 |" in table
    assert "| no noise | 0.700 | -0.100 (-0.110 to -0.090) | 0.700 |  | 0.700" in table
    assert "| not converted | 0.500 |  | 0.500 |  | 0.500 |  | 0.500 | 0.400 |" in table
    assert "24 held-out sentences" in table
    assert "7 steps on a GPU" in table


def test_nothing_trained_is_nothing_to_score(
    ablation: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["score", "--work", str(tmp_path), "--corpus", str(tmp_path), "--only", "full"]
    assert ablation.main(command) == 2
    said = capsys.readouterr().err
    assert "full is not finished; left out" in said
    assert "nothing finished to score" in said
