"""`edge-vc report` tells files apart truly: missing, a profile, an evaluation, a benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_vc.cli import app

RESULTS = sorted((Path(__file__).parents[2] / "benchmarks" / "results").glob("*.json"))


@pytest.mark.parametrize("options", [[], ["-o", "page.html"], ["--png", "p.png"]])
def test_a_missing_file_is_missing(options: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", str(tmp_path / "missing.json"), *options])
    assert done.exit_code == 2
    assert "missing.json: No such file" in done.stderr


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_every_published_result_makes_a_page_or_says_what_it_is(path: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", str(path), "-o", str(tmp_path / "page.html")])
    if path.stem.partition("_")[0] == "voice":
        assert done.exit_code == 0, done.output
        assert (tmp_path / "page.html").stat().st_size > 10_000
        return
    assert done.exit_code == 2
    assert "is neither a profile nor an evaluation, but" in done.stderr
    assert not (tmp_path / "page.html").exists()
