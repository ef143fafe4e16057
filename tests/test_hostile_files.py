"""Every verb that reads a file of JSON, TOML or a table, given bytes that are made to break it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_vc.cli import app

CONTENTS = {
    "deep json": b'{"a":' * 5000,
    "deep toml": b"a = " + b"[" * 5000,
    "huge integer": b'{"schema_version": 1, "schema": ' + b"9" * 400 + b', "corpus_hash": 1}',
    "integer beyond printing": b'{"schema": ' + b"9" * 5000 + b"}",
    "surrogate": b'{"schema_version": 1, "created": "\\ud800", "corpus_hash": "\\ud800"}',
    "escapes": b'{"schema_version": "\\u001b[31m\\nforged", "\\u001b[2J": 1}\n[a]\nb = "\x1b[2J"\n',
    "no text": bytes(range(256)),
    "nothing": b"",
}
VERBS = {
    "board report": (["report", "{json}"], False),
    "report": (["report", "{json}"], False),
    "report --run": (["report", "{evaluation}", "--run", "{jsonl}"], False),
    "compress": (["compress", "{toml}"], False),
    "label": (["label", "{corpus}", "--teacher", "{toml}", "-o", "out"], False),
    "evaluate": (["evaluate", "source", "--corpus", "{folder}"], False),
    "train teacher": (
        ["train", "teacher", "--target", "{corpus}", "--recipe", "{toml}", "--out", "out",
         "--consent", "Ours."], False,
    ),
    "export": (["export", "{run}"], False),
    "flash --inventory": (["flash", "kathleen-nano", "--inventory", "{toml}"], False),
    "flash --inventory yml": (["flash", "kathleen-nano", "--inventory", "{yml}"], False),
    "inspect": (["inspect", "{json}"], False),
    "installed": (["installed", "--root", "{root}"], True),
}  # fmt: skip
"""Arguments of each verb; whether it may go on in spite of the file."""


@pytest.fixture
def files(tmp_path: Path, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Where each kind of file lies; a test fills them."""
    monkeypatch.chdir(tmp_path)
    names = {
        "json": "a.json", "toml": "a.toml", "yml": "a.yml", "jsonl": "a.jsonl",
        "metadata": "folder/metadata.csv", "summary": "run/run.json", "state": "root/state.json",
    }  # fmt: skip
    found = {key: tmp_path / name for key, name in names.items()}
    for path in found.values():
        path.parent.mkdir(exist_ok=True)
    (tmp_path / "corpus").mkdir()
    (tmp_path / "root" / "releases").mkdir()
    folders = {name: tmp_path / name for name in ("corpus", "folder", "run", "root")}
    return found | folders | {"evaluation": project_root / "tests" / "evaluate" / "schema2.json"}


@pytest.mark.parametrize(
    ("verb", "content"),
    [
        (verb, content)
        for verb in VERBS
        for content in CONTENTS
        if (verb, content) != ("compress", "nothing")  # an empty recipe is a good one
    ],
)
def test_any_bytes_end_in_one_printable_line(
    verb: str, content: str, files: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    for path in files.values():
        if path.suffix and "schema2" not in path.name:
            path.write_bytes(CONTENTS[content])
    words, lenient = VERBS[verb]
    given = [word.format(**files) for word in words]
    if verb.startswith("board "):
        from edge_vc_runtime.cli import main

        code, said = main(given), capfd.readouterr().err
    else:
        done = CliRunner().invoke(app, given)
        assert isinstance(done.exception, SystemExit | None), done.exception
        code, said = done.exit_code, done.stderr + capfd.readouterr().err
    if lenient and code == 0:
        return
    assert code == 2, said
    lines = said.splitlines()
    assert len(lines) == 1, said
    assert lines[0].isprintable()
    assert "Traceback" not in said
    assert "cannot go on" not in said, "a reader of its own says what is wrong with the file"
