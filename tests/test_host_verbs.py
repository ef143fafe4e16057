"""Every verb of the host command: help, wrong flags, missing files, names of shipped bundles."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from edge_vc.assets import UnknownBundleError, bundle_names, bundle_path, find_bundle
from edge_vc.cli import BOARD_VERBS, HOST_VERBS, app
from edge_vc.command_line.errors import CheckError, InputError, error_net, user_message
from edge_vc.evaluate.systems.systems import load_systems

MISSING = {
    "prepare": ["none", "-o", "out"],
    "label": ["none", "--teacher", "shipped", "-o", "out"],
    "compress": ["none.toml"],
    "train teacher": ["--target", "none", "--out", "out", "--steps", "1"],
    "train student": ["--corpus", "none", "--out", "out", "--steps", "1"],
    "train contents": ["--corpus", "none", "--out", "out", "--steps", "1"],
    "export": ["none.safetensors"],
    "keys new": ["none", "--type", "none"],
    "sign": ["none.evc", "--key", "none"],
    "evaluate": ["source", "--corpus", "none"],
    "report": ["none.json"],
    "quickstart": ["--recipe", "none"],
    "serve": ["none.evc", "--port", "0"],
    "bundles": ["--path", "none"],
    "boards": ["none"],
    "wheels": ["none"],
    "flash": ["none.evc", "--to", "pi@none.invalid"],
    "target-voice": ["none", "-o", "none.json"],
    "emulate run": ["none", "--", "true"],
    "run": ["none.evc", "in.wav", "out.wav"],
    "profile": ["none.evc"],
    "inspect": ["none.evc"],
    "verify": ["none.evc", "--allowed-signers", "none"],
    "validate": ["none.evc"],
    "install": ["none.evc"],
    "installed": ["--root", "none"],
    "rollback": ["--root", "none"],
    "uninstall": ["--root", "none"],
    "unit": ["--user", "none such"],
    "choose": ["none.evc"],
    "control": ["status", "--socket", "none"],
    "devices": ["--backend", "none"],
    "measure-latency": ["--backend", "none"],
}
"""Arguments of every verb that name something that is not there, called ``none``."""
VERBS = [*MISSING, "emulate setup", "keys list"]


def invoke(verb: str, *arguments: str) -> Result:
    done = CliRunner().invoke(app, [*verb.split(), *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_every_verb_is_covered() -> None:
    assert {verb.split()[0] for verb in VERBS} == {*HOST_VERBS, *BOARD_VERBS}


@pytest.mark.parametrize("verb", VERBS)
def test_help_names_the_verb_and_teaches(verb: str, capfd: pytest.CaptureFixture[str]) -> None:
    done = invoke(verb, "--help")
    text = done.stdout + capfd.readouterr().out
    assert done.exit_code == 0
    assert text.lower().startswith(f"usage: edge-vc {verb}")
    for part in ("examples:", f"edge-vc {verb}", "exit codes: "):
        assert part in text
    assert "\\\\" not in text


@pytest.mark.parametrize("verb", VERBS)
def test_a_wrong_flag_is_one_line_of_its_verb(verb: str) -> None:
    done = invoke(verb, *(MISSING[verb] if verb in BOARD_VERBS else []), "--hlep")
    assert done.exit_code == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"edge-vc {verb}: error: ")
    assert "--hlep" in line
    assert line.endswith(f"; see edge-vc {verb} --help")


@pytest.mark.parametrize("verb", MISSING)
def test_something_missing_is_one_line(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke(verb, *MISSING[verb])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"edge-vc {verb}: error: ")
    assert "none" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_a_wrong_verb_names_the_near_one() -> None:
    done = invoke("exprot")
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("edge-vc: error: No such command 'exprot'")
    assert "'export'" in line
    assert line.endswith("; see edge-vc --help")


@pytest.mark.parametrize(
    ("words", "completions"),
    [
        ("edge-vc pr", {"prepare", "profile"}),
        ("edge-vc label --wo", {"--workers"}),
        ("edge-vc boards z", {"zero2"}),
        ("edge-vc compress ba", {"base", "base-lookahead"}),
        ("edge-vc emulate s", {"setup"}),
        ("edge-vc profile --no", {"--no-cold-start", "--no-ops"}),
        ("edge-vc run kathleen-n", {"kathleen-nano"}),
        ("edge-vc profile --mode t", {"tight"}),
    ],
)
def test_the_shell_completes(words: str, completions: set[str]) -> None:
    """As bash asks: what completes the last word."""
    done = CliRunner().invoke(
        app,
        [],
        prog_name="edge-vc",
        env={
            "_EDGE_VC_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
    )
    assert set(done.stdout.split()) == completions


@pytest.mark.parametrize("name", bundle_names())
def test_a_shipped_bundle_is_found_by_name(name: str) -> None:
    assert invoke("bundles", "--path", name).stdout == f"{bundle_path(name)}\n"
    assert find_bundle(name) == bundle_path(name)
    assert name in invoke("bundles").stdout


def test_the_list_of_bundles_says_what_they_are() -> None:
    row = next(
        line for line in invoke("bundles").stdout.splitlines() if line.startswith("kathleen-nano ")
    )
    for fact in ("nano", " MB", "20 ms", "Kathleen", "CC0-1.0", str(bundle_path("kathleen-nano"))):
        assert fact in row


def test_verbs_take_the_name_of_a_shipped_bundle(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert invoke("inspect", "kathleen-nano").exit_code == 0
    assert invoke("export", "kathleen-nano", "-o", str(tmp_path / "parts")).exit_code == 0
    assert (tmp_path / "parts" / "manifest.json").is_file()
    by_path = [system.name for system in load_systems(str(bundle_path("kathleen-nano")))]
    assert [system.name for system in load_systems("kathleen-nano")] == by_path
    assert load_systems("mine=kathleen-nano")[0].family == "mine"


def test_a_file_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("kathleen-nano").write_text("")
    assert find_bundle("kathleen-nano") == Path("kathleen-nano")
    assert find_bundle("out/kathleen-nano") == Path("out/kathleen-nano")
    assert find_bundle("kathleen-nano.evc") == Path("kathleen-nano.evc")


@pytest.mark.parametrize("verb", ["inspect", "profile", "choose", "export"])
def test_an_unknown_name_lists_the_names(verb: str) -> None:
    done = invoke(verb, "kathlen-nano")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"edge-vc {verb}: error: kathlen-nano: no such file or shipped")
    assert "did you mean kathleen-nano?" in done.stderr
    for name in bundle_names():
        assert name in done.stderr
    with pytest.raises(UnknownBundleError):
        find_bundle("kathlen-nano")


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("a\x1b[31m\nb"), 2, "edge-vc x: error: a\\x1b[31m b\n"),
        (CheckError("beyond"), 1, "edge-vc x: error: beyond\n"),
        (
            FileNotFoundError(2, "No such file", "a.wav"),
            2,
            "edge-vc x: error: a.wav: No such file\n",
        ),
        (OSError(28, "No space left on device"), 2, "edge-vc x: error: No space left on device\n"),
        (KeyboardInterrupt(), 130, "edge-vc x: interrupted\n"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_errors_are_one_printable_line(
    error: BaseException, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as caught, error_net("edge-vc x"):
        raise error
    assert caught.value.exit_code == code
    assert capsys.readouterr().err == line


def test_what_nobody_foresaw_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert user_message(ValueError("a bug")) is None
    with pytest.raises(typer.Exit) as caught, error_net("edge-vc x"):
        _ = 1 / 0
    assert caught.value.exit_code == 2
    line = "edge-vc x: error: cannot go on: ZeroDivisionError: division by zero; EDGE_VC_DEBUG=1"
    assert capsys.readouterr().err == f"{line} shows where\n"
    monkeypatch.setenv("EDGE_VC_DEBUG", "1")
    with pytest.raises(ZeroDivisionError), error_net("edge-vc x"):
        _ = 1 / 0
    with pytest.raises(InputError), error_net("edge-vc x"):
        raise InputError("shown with its traceback when asked for")


def test_a_closed_pipe_is_quiet() -> None:
    command = [sys.executable, "-m", "edge_vc", "boards"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 141
