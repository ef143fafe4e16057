"""Wheels are collected for the board and not for this machine, listed, and checked on use."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge_vc.cli import app
from edge_vc_boards.board import BoardError
from edge_vc_boards.emulation import debian
from edge_vc_boards.emulation.error import EmulationError, UnavailableError
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels import collect, cross_compiler, pyaudio_wheel
from edge_vc_boards.wheels.collect import PYAUDIO, SOUNDDEVICE, collect_wheels
from edge_vc_boards.wheels.requirements import wheel_set
from edge_vc_boards.wheels.runtime_wheel import write_runtime_wheel
from edge_vc_boards.wheels.wheel_file import WheelName, write_wheel
from edge_vc_boards.wheels.wheel_list import check_wheels
from edge_vc_runtime import __version__


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """Every call of pip; each leaves an empty wheel per line that it was given."""
    called: list[list[str]] = []
    run = subprocess.run

    def pip(command: list[str], **settings: object) -> object:
        if "download" not in command:
            return run(command, **settings)
        called.append(command)
        folder = Path(command[command.index("--dest") + 1])
        for line in Path(command[-1]).read_text().split():
            name, _, version = line.replace(".", "_", line.partition("==")[0].count(".")).partition(
                "=="
            )
            (folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl").write_text(line)
        return subprocess.CompletedProcess(command, 0, "", "")

    def made(python: str, glibc: str) -> Path:
        path = tmp_path / f"PyAudio-0.2.14-1-cp{python.replace('.', '')}-none-linux_aarch64.whl"
        path.write_text(glibc)
        return path

    monkeypatch.setattr(collect.subprocess, "run", pip)
    monkeypatch.setattr(collect, "pyaudio_wheel", made)
    return called


def test_the_folder_has_what_the_board_needs(fetched: list[list[str]], tmp_path: Path) -> None:
    wheels = wheel_set(load_board("pi5"), system="trixie")
    made = collect_wheels(wheels, tmp_path / "pi5")
    projects = {wheel.file.split("-")[0] for wheel in made.wheels}
    assert {
        "numpy",
        "soxr",
        "soundfile",
        "edge_vc_runtime",
        "PyAudio",
        "ai_edge_litert",
    } <= projects
    assert "sounddevice" not in projects
    assert (made.board, made.system, made.python, made.live) == ("pi5", "trixie", "3.13", PYAUDIO)
    (command,) = fetched
    assert set(wheels.pip_options()) <= set(command)
    assert "--python-version=3.13" in command
    assert check_wheels(tmp_path / "pi5") == made
    lines = (tmp_path / "pi5" / "requirements.txt").read_text().splitlines()
    hashes = {line.split("sha256:")[1] for line in lines if not line.startswith("#")}
    assert hashes == {wheel.sha256 for wheel in made.wheels}
    assert not list((tmp_path / "pi5").glob(".*"))


def test_what_is_there_is_not_fetched_again(fetched: list[list[str]], tmp_path: Path) -> None:
    first = collect_wheels(wheel_set(load_board("pi4")), tmp_path / "w")
    assert collect_wheels(wheel_set(load_board("pi4")), tmp_path / "w") == first
    assert len(fetched) == 1
    assert collect_wheels(wheel_set(load_board("pi4"), "onnx"), tmp_path / "w") != first
    assert len(fetched) == 2
    numpy = next((tmp_path / "w").glob("numpy-*.whl"))
    numpy.write_text("tampered with")
    with pytest.raises(BoardError, match=r"numpy-.*: is not the wheel that wheels.json lists"):
        check_wheels(tmp_path / "w")
    collect_wheels(wheel_set(load_board("pi4"), "onnx"), tmp_path / "w")
    assert len(fetched) == 3
    assert check_wheels(tmp_path / "w")


@pytest.mark.parametrize("board", ["orin-nano", "x86-64"])
def test_without_pyaudio_sounddevice_takes_its_place(
    board: str, fetched: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "pyaudio_wheel", pyaudio_wheel.pyaudio_wheel)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    said: list[str] = []
    system = "noble" if board == "x86-64" else "jetpack7"
    made = collect_wheels(wheel_set(load_board(board), system=system), tmp_path / "w", said.append)
    assert made.live == SOUNDDEVICE
    assert any(wheel.file.startswith("sounddevice-") for wheel in made.wheels)
    reason = "not for x86_64" if board == "x86-64" else "no Debian release has Python 3.12"
    assert reason in made.note
    assert "libportaudio2" in made.note
    assert "\n" not in made.note


def test_pips_reason_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "WARNING: old\nERROR: No matching distribution found for soxr==1.1.0\n"
    failed = subprocess.CompletedProcess([], 1, "", said)
    monkeypatch.setattr(collect, "_add_live", lambda *_: (PYAUDIO, ""))
    monkeypatch.setattr(collect.subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(BoardError, match="pi4 could not be fetched: ERROR: No matching") as error:
        collect_wheels(wheel_set(load_board("pi4")), tmp_path)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_the_verb_lists_what_it_collected(
    fetched: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(python: str, glibc: str) -> Path:
        raise UnavailableError("apt-get is missing, it takes Debian")

    monkeypatch.setattr(collect, "pyaudio_wheel", cannot)
    done = CliRunner().invoke(app, ["wheels", "pi4", "--into", str(tmp_path / "w")])
    assert done.exit_code == 0
    assert f"{tmp_path}/w/numpy-2.4.6-py3-none-any.whl\n" in done.stdout
    last = done.stderr.splitlines()[-1]
    assert last.startswith("note: PyAudio for Python 3.11 cannot be made here (apt-get is missing")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is not JSON"),
        ("{}", "is missing"),
        ('{"wheels": [{"file": "../../etc/passwd", "sha256": "", "size": 1}]}', "not the name of"),
        ('{"wheels": [{"file": "a-1-py3-none-any.whl", "sha256": "", "size": 1}]}', "No such file"),
    ],
)
def test_a_bad_list_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    if "wheels" in text:
        keys = ("board", "system", "python", "engine", "live", "note")
        text = json.dumps({**dict.fromkeys(keys, "x"), "requirements": [], **json.loads(text)})
    (tmp_path / "wheels.json").write_text(text)
    with pytest.raises(BoardError, match=complaint) as error:
        check_wheels(tmp_path)
    assert "\n" not in str(error.value)


def test_a_wheel_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    name = WheelName("mine", "1.0", "cp311-cp311-linux_aarch64", "2")
    files = {"mine.py": b"x = 1\n", f"{name.info}/METADATA": b"Name: mine\nVersion: 1.0\n"}
    made = write_wheel(tmp_path, name, files)
    assert made.name == "mine-1.0-2-cp311-cp311-linux_aarch64.whl"
    again = write_wheel(tmp_path, name, dict(reversed(files.items())))
    assert again.read_bytes() == made.read_bytes()
    with zipfile.ZipFile(made) as archive:
        assert b"Root-Is-Purelib: false\nBuild: 2\n" in archive.read(f"{name.info}/WHEEL")
        rows = {
            row[0]: row for row in csv.reader(archive.read(f"{name.info}/RECORD").decode().split())
        }
        assert rows.keys() == set(archive.namelist())
        assert rows["mine.py"][2] == "6"


def test_the_runtime_s_wheel_is_the_code_in_use(tmp_path: Path) -> None:
    wheel = write_runtime_wheel(tmp_path)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert hashlib.sha256(write_runtime_wheel(tmp_path).read_bytes()).hexdigest() == digest
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    pip += ["--disable-pip-version-check", "--root-user-action=ignore"]
    subprocess.run([*pip, "--target", str(target), str(wheel)], check=True)
    command = [sys.executable, "-m", "edge_vc_runtime", "--version"]
    done = subprocess.run(
        command, env={"PYTHONPATH": str(target)}, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout == f"edge-vc-runtime {__version__}\n"
    assert (target / "edge_vc_runtime" / "boards.json").is_file()
    assert not list(target.rglob("*/profiles"))


@pytest.fixture
def cached(tmp_path: Path) -> Path:
    """A cache with a PyAudio wheel whose library needs glibc 2.34."""
    name = WheelName("PyAudio", pyaudio_wheel.VERSION, "cp311-cp311-linux_aarch64", "1")
    files = {"pyaudio/_portaudio.so": b"GLIBC_2.17\0GLIBC_2.34\0", f"{name.info}/METADATA": b""}
    return write_wheel(tmp_path, name, files).parent


def test_a_made_wheel_is_kept_and_checked_against_the_system(cached: Path) -> None:
    assert pyaudio_wheel.pyaudio_wheel("3.11", "2.36", cached).parent == cached
    with pytest.raises(UnavailableError, match=r"needs glibc 2.34, the system has 2.27"):
        pyaudio_wheel.pyaudio_wheel("3.11", "2.27", cached)


def test_another_machine_says_why_nothing_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cross_compiler.platform, "machine", lambda: "riscv64")
    with pytest.raises(UnavailableError, match="x86_64, this is Linux riscv64"):
        cross_compiler.unpack_compiler(tmp_path, ())
    monkeypatch.undo()
    monkeypatch.setattr(cross_compiler.shutil, "which", lambda tool: None)
    with pytest.raises(UnavailableError, match="apt-get is missing"):
        cross_compiler.unpack_compiler(tmp_path, ())


def test_a_debian_release_comes_from_the_machine_s_mirror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[list[str]] = []

    def tool(command: list[str], **_: object) -> str:
        calls.append(command)
        return "Other|Other|http://x/\nDebian|Debian|http://mirror.example/debian/\n"

    monkeypatch.setattr(debian, "run_tool", tool)
    debian.fetch_packages(("make",), "arm64", tmp_path, suite="trixie")
    sources = (tmp_path / "sources.list").read_text().splitlines()
    assert sources[0].endswith("http://mirror.example/debian/ trixie main")
    assert sources[0].startswith("deb [signed-by=")
    assert f"-oDir::Etc::SourceList={tmp_path}/sources.list" in calls[-1]
    monkeypatch.setattr(debian, "run_tool", lambda *a, **k: "Ubuntu|Ubuntu|http://x/\n")
    with pytest.raises(EmulationError, match="no mirror of Debian"):
        debian.fetch_alone("make", "arm64", tmp_path, "trixie")
