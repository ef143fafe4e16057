"""The quick start from end to end."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_vc.quickstart import app
from edge_vc_runtime.bundle.reader import read_bundle


def quickstart(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_quickstart_makes_a_bundle_and_converts(tmp_path: Path) -> None:
    code, output = quickstart("--out", tmp_path, "--seconds", "1")
    assert code == 0, output
    bundle = read_bundle(tmp_path / "kathleen-quick.evc")
    assert {model.precision for model in bundle.manifest.models} == {"int8", "fp32"}
    for name in ("arctic-converted.wav", "arctic-original.wav", "arctic.png"):
        assert (tmp_path / name).stat().st_size > 10_000
    assert "similarity to the target, converted" in output


def test_an_unknown_recipe_is_named(tmp_path: Path) -> None:
    code, output = quickstart("--recipe", "quikc", "--out", tmp_path / "q")
    assert code == 2
    assert "quikc" in output


def test_an_empty_corpus_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    code, output = quickstart("--corpus", tmp_path / "empty", "--out", tmp_path / "q")
    assert code == 2
    assert "empty" in output
