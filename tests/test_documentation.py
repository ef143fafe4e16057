"""The pages that are made from the code, the README's size, and links of the wheels."""

from __future__ import annotations

import importlib.util
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from edge_vc.cli import BOARD_VERBS, HOST_VERBS
from edge_vc.compress.recipe import Recipe
from edge_vc.teachers.registry import teacher_kinds

ROOT = Path(__file__).resolve().parent.parent
pytest.importorskip("mkdocs", reason="the documentation's packages are not installed")


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_the_recipe_page_has_every_key() -> None:
    page = load(ROOT / "docs" / "generate.py").recipe()
    voice = page[page.index("## Training recipe of a voice") :]
    assert "| `retrievals` | `[0.0, 0.5, 1.0]` |" in voice
    assert "| `event_share` | `0.3` |" in voice
    recipe = Recipe()
    for section in fields(recipe):
        assert f"## `[{section.name}]`" in page
        if section.name == "voices":
            continue  # its keys are the names of voices
        for key in fields(getattr(recipe, section.name)):
            assert f"| `{key.name}` |" in page
    for kind in teacher_kinds():
        assert f'### `kind = "{kind}"`' in page
    assert "2.5 to 20 ms" in page


def test_the_command_line_page_has_every_verb() -> None:
    page = load(ROOT / "docs" / "generate.py").command_line()
    for verb in (*HOST_VERBS, *BOARD_VERBS):
        assert f"## `edge-vc {verb}`\n\n```text\nusage: edge-vc {verb}" in page.replace("U", "u")
    assert "## `edge-vc-rt`" in page


def test_the_metrics_page_has_every_metric() -> None:
    from edge_vc_runtime.monitor.live_metrics import METRICS, STEP_SECONDS

    page = load(ROOT / "docs" / "generate.py").live_metrics()
    for name in (STEP_SECONDS, *(metric.name for metric in METRICS)):
        assert f"| `{name}` | " in page


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://host.example/r", "see [it](https://host.example/r/blob/main/docs/a.md)"),
        ("", "see it"),
    ],
)
def test_wheels_have_absolute_links_or_none(base: str, expected: str) -> None:
    links = load(ROOT / "runtimes" / "hatch_build.py").with_links
    assert links("see [it](docs/a.md)", base) == expected
    assert links("[x](https://other.example)", base) == "[x](https://other.example)"
