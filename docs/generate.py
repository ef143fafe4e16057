"""Pages made from the code when the site is built: command line, recipe, report schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection
from dataclasses import Field, fields, is_dataclass
from pathlib import Path
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to the site."""
    pages = {
        "reference/command-line.md": command_line(),
        "reference/recipe.md": recipe(),
        "reference/report.md": report(),
        "reference/live-metrics.md": live_metrics(),
    }
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def command_line() -> str:
    """Return the help of every verb, as a terminal shows it."""
    from edge_vc.cli import app

    group: Any = typer.main.get_command(app)
    verbs = group.list_commands(typer.Context(group))
    parts = [
        "# Command line\n",
        "This page is the programs' own `--help`. `edge-vc` runs on the host, `edge-vc-rt` on a "
        "board; the verbs that both have are the same code.\n",
        _help("edge-vc", [sys.executable, "-m", "edge_vc"]),
    ]
    parts += [_help(f"edge-vc {verb}", [sys.executable, "-m", "edge_vc", verb]) for verb in verbs]
    parts.append(_help("edge-vc-rt", [sys.executable, "-m", "edge_vc_runtime"]))
    return "\n".join(parts)


def _help(title: str, command: list[str]) -> str:
    environment = {**os.environ, "COLUMNS": "78", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        [*command, "--help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return f"## `{title}`\n\n```text\n{done.stdout.rstrip()}\n```\n"


def recipe() -> str:
    """Return every key of the recipe with default, range and meaning."""
    from edge_vc.compress.recipe import Recipe
    from edge_vc.teachers.registry import teacher_kinds

    parts = [
        "# Recipe\n",
        "A recipe is a TOML file. Every key may be left out; an unknown key, a value outside its "
        "range or one of another type is an error that names the key and what is allowed. "
        "`edge-vc compress base --show` prints a recipe with every default written out.\n",
    ]
    recipe = Recipe()
    for section in fields(recipe):
        kind = type(getattr(recipe, section.name))
        if section.name not in ("teacher", "voices"):
            parts.append(f"## `[{section.name}]`\n\n{_paragraph(kind.__doc__)}\n\n{_table(kind)}")
    parts.append(
        "## `[teacher]`\n\nThe keys depend on `kind`; without the section, the shipped teacher.\n"
    )
    for name, teacher in teacher_kinds().items():
        text = f"{_paragraph(teacher.spec.__doc__)}\n\n{_table(teacher.spec)}"
        parts.append(f'### `kind = "{name}"`\n\n{text}')
    parts.append(
        "## `[voices]`\n\nInstead of `[teacher]`: a teacher for each voice of one student, the "
        "default voice first. Every key is the name of a voice; its value is what `--teacher` "
        "takes, or a table of the keys of `[teacher]`.\n"
    )
    return "\n".join([*parts, *_voice_recipe()])


def _voice_recipe() -> list[str]:
    """Return every key of a voice's training recipe, which is a file of its own."""
    from edge_vc.training.voice.settings import VoiceSettings

    settings = VoiceSettings()
    nested = {f.name: getattr(settings, f.name) for f in fields(settings)}
    nested = {name: value for name, value in nested.items() if is_dataclass(value)}
    parts = [
        "## Training recipe of a voice\n\nA file for `edge-vc train teacher --target FOLDER "
        "--recipe`, or changes with `--set KEY=VALUE`; `whisper`, `distilled` and `hama` ship.\n",
        _table(VoiceSettings, without=nested),
    ]
    for name, value in nested.items():
        parts.append(f"### `[{name}]` of a voice\n\n{_paragraph(type(value).__doc__)}\n")
        parts.append(_table(type(value)))
    return parts


def _table(kind: type[Any], without: Collection[str] = ()) -> str:
    from edge_vc.settings.notes import field_notes

    meanings, defaults = field_notes(kind), kind()
    rows = ["| key | default | allowed | meaning |", "| --- | --- | --- | --- |"]
    for spec in fields(kind):
        if spec.name in without:
            continue
        meaning = _paragraph(meanings.get(spec.name, "")).replace("|", "\\|")
        default = _toml(getattr(defaults, spec.name))
        rows.append(f"| `{spec.name}` | `{default}` | {_allowed(spec)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _allowed(spec: Field[Any]) -> str:
    unit = f" {spec.metadata['unit']}" if spec.metadata.get("unit") else ""
    if "range" in spec.metadata:
        low, high = spec.metadata["range"]
        return f"{_number(low)} to {_number(high)}{unit}"
    choices = spec.metadata.get("choices")
    if choices:
        return ", ".join(f"`{_toml(word)}`" for word in dict.fromkeys(choices))
    return {bool: "`true` or `false`", str: "a string"}.get(type(spec.default), "")


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) >= 1e6 else f"{value:g}"


def _toml(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:37] + '..."'


def _paragraph(text: str | None) -> str:
    return " ".join((text or "").replace("``", "`").split())


def report() -> str:
    """Return the schema of the profile report."""
    from edge_vc_runtime.profiling.report import report_schema

    schema = json.dumps(report_schema(), indent=2)
    return (
        "# Profile report\n\n"
        "`edge-vc profile BUNDLE --json report.json` writes one JSON document, wherever it runs; "
        "`edge-vc run BUNDLE --report report.json` writes the same at the end of a live run, with "
        "the section `live`. `environment` says where that was: `board`, `host`, `emulated` or "
        "`estimated`. A field is `null` where the machine does not offer it. From Python: "
        "`edge_vc_runtime.Report.from_json` reads it strictly.\n\n"
        "::: edge_vc_runtime.profiling.report.Report\n\n"
        "::: edge_vc_runtime.profiling.live_run.LiveRun\n\n"
        "::: edge_vc_runtime.profiling.estimate.HopEstimate\n\n"
        f"## JSON Schema\n\n```json\n{schema}\n```\n"
    )


def live_metrics() -> str:
    """Return the table of a live run's metrics."""
    from edge_vc_runtime.monitor.live_metrics import metrics_table

    return (
        "# Live metrics\n\n"
        "`edge-vc run BUNDLE --metrics PORT` serves these for Prometheus at "
        "`http://127.0.0.1:PORT/metrics` while a voice is converted, on loopback only; see "
        "[Live](../tutorials/live.md#figures-for-prometheus). A metric whose value is not known is "
        f"absent.\n\n{metrics_table()}"
    )
