"""Every output of every verb is checked before the work, and is no input under another name.

The outputs come from the command lines themselves (`declared_outputs`): a new verb is covered as
soon as it declares one, and one that writes without declaring it fails here.
"""

from __future__ import annotations

import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from declared_outputs import DeclaredParameter, declared
from test_host_verbs import MISSING, invoke

from edge_vc_runtime.audio.sinks import SinkPlace
from edge_vc_runtime.cli import main
from edge_vc_runtime.taps.options import TapPlace

PARAMETERS = tuple(declared())
OUTPUTS = [each for each in PARAMETERS if each.place]
FILES = [each for each in OUTPUTS if each.place and not each.place.folder]
FOLDERS = [each for each in OUTPUTS if each.place and each.place.folder]
READS = {
    "compress": "recipe corpus",
    "profile": "bundle",
    "bundles": "path",
    "emulate run": "root share",
    "evaluate": "systems corpus",
    "export": "source quantized",
    "flash": "bundle inventory identity root wheels trust image password_file ssh_key wifi_file "
    "device",
    "install": "bundle root",
    "keys list": "folder",
    "label": "corpus teacher",
    "prepare": "recordings noise rooms",
    "quickstart": "corpus recipe",
    "report": "report run audio",
    "rollback": "root",
    "run": "bundle input backing control",
    "serve": "cert key",
    "sign": "bundle key",
    "target-voice": "corpus",
    "train contents": "corpus noises",
    "train student": "corpus teacher start",
    "train teacher": "target noises",
    "uninstall": "root",
    "installed": "root",
    "unit": "root program",
    "verify": "bundle allowed_signers revoked",
}
"""Parameters that name files and are no outputs, or that check their place by themselves: a
device, an installation, a socket."""
_FILE = re.compile(
    r"(?i)^(out|output|into|folder|root|cache|run|dir|file|path|save|write|json|png|html|plot|audio|"
    r"record|report|log|image|layer|labels|wav|csv|srt|record_input|pairs|index|device|control)$"
)
"""Names of parameters that may well be outputs."""


def folder_of(output: DeclaredParameter) -> bool:
    return bool(output.place and output.place.folder)


def words(output: DeclaredParameter, value: str) -> list[str]:
    """Return a command line with this output, everything it reads missing."""
    given = MISSING.get(output.verb, [])
    if output.verb == "run":
        return (
            ["none.evc", "in.wav", value] if not output.flag else ["none.evc", output.flag, value]
        )
    if not output.flag:
        return [*given, value]
    return [*given, output.flag, value]


def call(output: DeclaredParameter, arguments: list[str]) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr."""
    if output.program == "edge-vc":
        done = invoke(output.verb, *arguments)
        return done.exit_code, done.stdout, done.stderr
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([*output.verb.split(), *arguments])
    return code, out.getvalue(), err.getvalue()


def value_for(output: DeclaredParameter, path: Path | str) -> str:
    return f"mood={path}" if isinstance(output.place, TapPlace) else str(path)


def suffix_of(output: DeclaredParameter) -> str:
    if output.verb == "export":
        return ".evc"
    if isinstance(output.place, SinkPlace):
        return ".wav"
    return output.place.suffixes[0] if output.place and output.place.suffixes else ""


def refused(output: DeclaredParameter, path: Path | str) -> str:
    """Return the one line with which an output is refused, before what is missing is noticed."""
    code, out, err = call(output, words(output, value_for(output, path)))
    assert (code, out) == (2, ""), err
    assert err.startswith(f"{output.program} {output.verb}: error: ")
    assert err.count("\n") == 1
    assert str(path) in err
    return err


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in an empty folder, and leave nothing there."""
    monkeypatch.chdir(tmp_path)
    yield
    left = list(tmp_path.rglob(".edge-vc-*"))
    assert left == []


def test_every_verb_with_an_output_is_tried() -> None:
    assert {"run", "profile", "report", "label", "compress", "export", "evaluate", "prepare"} <= {
        output.verb for output in OUTPUTS
    }
    assert len(OUTPUTS) >= 37


def test_every_parameter_that_may_be_an_output_is_one_or_is_listed() -> None:
    """Declare it with `output_option`, or an `OutputPlace` as its type; else add it to `READS`."""
    forgotten = {
        f"{each.verb}: {each.name}"
        for each in PARAMETERS
        if each.text and each.place is None and _FILE.match(each.name)
        if each.name not in READS.get(each.verb, "").split()
    }
    devices = {"measure-latency: output", "emulate make: root"}
    assert forgotten <= devices


@pytest.mark.parametrize("output", FILES, ids=str)
def test_a_file_that_cannot_be_written_is_refused_first(
    output: DeclaredParameter, tmp_path: Path
) -> None:
    suffix = suffix_of(output)
    assert "its folder does not exist" in refused(output, f"nodir/a{suffix}")
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    assert "is a folder; name a file" in refused(output, folder.name)
    (tmp_path / "plain").touch()
    assert "Not a directory" in refused(output, f"plain/a{suffix}")
    (tmp_path / "loop").symlink_to("loop")
    assert "symbolic links" in refused(output, f"loop/a{suffix}")


@pytest.mark.parametrize("output", FOLDERS, ids=str)
def test_a_folder_that_cannot_be_filled_is_refused_first(
    output: DeclaredParameter, tmp_path: Path
) -> None:
    (tmp_path / "plain").touch()
    assert "is a file; name a folder" in refused(output, "plain")
    assert "Not a directory" in refused(output, "plain/deep/er")


@pytest.mark.parametrize("output", FILES, ids=str)
def test_a_name_that_says_something_else_is_refused(output: DeclaredParameter) -> None:
    if not (suffix_of(output) and output.verb != "export"):
        pytest.skip("its name is free")
    for name in ("a.txt", "a.wav" if suffix_of(output) != ".wav" else "a.png", "metadata.csv"):
        assert re.search(r"has to end in \.|cannot write \.", refused(output, name))


@pytest.mark.parametrize("output", FILES, ids=str)
def test_what_is_no_file_is_not_replaced(output: DeclaredParameter, tmp_path: Path) -> None:
    """A pipe is refused at once, or is taken and stays one."""
    pipe = tmp_path / f"pipe{suffix_of(output)}"
    os.mkfifo(pipe)
    if output.place and output.place.stream:
        code, _, err = call(output, words(output, value_for(output, pipe.name)))
        assert code == 2
        assert pipe.name not in err, "it is written into, so something else was wrong"
    else:
        assert "is a pipe; name a file" in refused(output, pipe.name)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert [path.name for path in tmp_path.iterdir()] == [pipe.name]


def inputs_of(output: DeclaredParameter) -> list[DeclaredParameter]:
    """Return what the verb reads, of what this output could be."""
    return [
        each
        for each in PARAMETERS
        if (each.program, each.verb) == (output.program, output.verb)
        if each.place is None and each.name in READS.get(each.verb, "").split()
        if output.place and each.name not in output.place.replaces
    ]


@pytest.mark.parametrize("output", OUTPUTS, ids=str)
def test_an_output_is_no_input_under_another_name(
    output: DeclaredParameter, tmp_path: Path
) -> None:
    suffix = suffix_of(output)
    given = tmp_path / f"given{suffix}"
    folder = folder_of(output)
    given.mkdir() if folder else given.write_bytes(b"precious")
    (tmp_path / f"link{suffix}").symlink_to(given.name)
    names = [given.name, f"link{suffix}", f"./{given.name}"]
    if not folder:
        os.link(given, tmp_path / f"hard{suffix}")
        names.append(f"hard{suffix}")
    for one in inputs_of(output):
        for name in names:
            line = command(output, one, value_for(output, name), given.name)
            if line is None:
                continue
            code, out, err = call(output, line)
            assert (code, out) == (2, ""), (line, err)
            assert "is an input" in err, (line, err)
            assert err.count("\n") == 1
    assert given.is_dir() if folder else given.read_bytes() == b"precious"


def command(
    output: DeclaredParameter, one: DeclaredParameter, made: str, given: str
) -> list[str] | None:
    """Return a command line whose input is ``given``; None where that excludes the output."""
    if one.flag:
        return [*words(output, made), one.flag, given]
    line = words(output, made)
    if output.verb == "run":
        place = ["bundle", "input"].index(one.name)
        if place == 1 and output.flag:
            return None  # a live run has no input
        line[place] = given
    else:
        line[0] = given
    return line


@pytest.mark.skipif(sys.platform != "linux", reason="a disk that ignores case is Linux's here")
def test_names_that_differ_in_case_are_asked_of_the_disk(tmp_path: Path) -> None:
    """A disk that ignores case says that both names are one file, as two hard links are."""
    (tmp_path / "A.json").write_text("{}")
    os.link(tmp_path / "A.json", tmp_path / "a.json")
    done = invoke("report", "A.json", "--json", "a.json")
    assert done.exit_code == 2
    assert "a.json: is an input, under the name A.json" in done.stderr
