"""The quick start from end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_vc.quickstart import main
from edge_vc_runtime.bundle.reader import read_bundle


@pytest.mark.slow
def test_quickstart_makes_a_bundle_and_converts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path), "--seconds", "1"]) == 0
    bundle = read_bundle(tmp_path / "kathleen-quick.evc")
    assert {model.precision for model in bundle.manifest.models} == {"int8", "fp32"}
    for name in ("arctic-converted.wav", "arctic-original.wav", "arctic.png"):
        assert (tmp_path / name).stat().st_size > 10_000
    assert "similarity to her voice, converted" in capsys.readouterr().out


def test_an_unknown_recipe_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--recipe", "quikc", "--out", str(tmp_path / "q")]) == 2
    assert "quikc" in capsys.readouterr().out


def test_an_empty_corpus_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["--corpus", str(tmp_path / "empty"), "--out", str(tmp_path / "q")]) == 2
    assert "empty" in capsys.readouterr().out
