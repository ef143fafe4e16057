"""Every verb that writes, killed at each change of the disk: run again, it ends as undisturbed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile
from crash_sweep import CrashServer, content, left, sweep, sweep_twice, whole_or_absent
from declared_outputs import declared
from test_host_verbs import invoke
from voices import RATE, Audio, record, voice

from edge_vc.assets import bundle_path

SAVED = Path(__file__).parent / "evaluate" / "schema2.json"
BUNDLE = bundle_path("kathleen-nano")
Words = Callable[[Path, Path], list[object]]


@dataclass(frozen=True)
class Case:
    """A command line that fills a folder."""

    words: Words
    """Of the folder with what is read, and the folder to fill."""
    resumes: bool = False
    """Whether the folder may hold a part of the work; else each file is whole or absent."""


CASES = {
    "label": Case(
        lambda given, out: [
            "label", given / "recordings", "--teacher", given / "teacher.onnx", "-o", out,
            "--wav", "--workers", "1",
        ],
        resumes=True,
    ),
    "prepare": Case(
        lambda given, out: [
            "prepare", given / "people", "-o", out, "--denoise", "none", "--features", "f0",
            "--min-seconds", "0.3",
        ],
        resumes=True,
    ),
    "train teacher": Case(
        lambda given, out: [
            "train", "teacher", "--target", given / "long", "--out", out, "--recipe", "hama",
            "--steps", "2", "--consent", "Nobody's voice.", "--save-minutes", "0.0001",
            "--set", "views.copies=1", "--set", "crops=2", "--threads", "1",
        ],
        resumes=True,
    ),
    "train student": Case(
        lambda given, out: [
            "train", "student", "--corpus", given / "recordings", "--out", out, "--tier", "nano",
            "--steps", "2", "--threads", "1",
        ],
        resumes=True,
    ),
    "train contents": Case(
        lambda given, out: [
            "train", "contents", "--corpus", given / "long", "--out", out, "--teacher", "hama",
            "--steps", "2", "--threads", "1",
        ],
        resumes=True,
    ),
    "evaluate": Case(
        lambda given, out: [
            "evaluate", "source", "--corpus", given / "roles", "--json", out / "e.json",
            "--audio", out / "audio", "--plot", out / "e.png",
        ],
    ),
    "export": Case(lambda given, out: ["export", BUNDLE, "-o", out / "parts"]),
    "export bundle": Case(lambda given, out: ["export", BUNDLE, "-o", out / "a.evc"]),
    "sign": Case(
        lambda given, out: ["sign", given / "a.evc", "--key", given / "key", "-o", out / "a.evc"]
    ),
    "run": Case(
        lambda given, out: [
            "run", "-q", BUNDLE, given / "recordings" / "00.wav", out / "a.wav",
        ]
    ),
    "profile": Case(
        lambda given, out: [
            "profile", BUNDLE, "--seconds", "0.2", "--warmup", "1", "--no-cold-start", "--no-ops",
            "--mode", "tight", "--json", out / "profile.json",
        ]
    ),
    "report": Case(
        lambda given, out: ["report", SAVED, "-o", out / "a.html"]
    ),
    "target-voice": Case(
        lambda given, out: ["target-voice", given / "people", "-o", out / "a.json"]
    ),
}  # fmt: skip
ELSEWHERE = {
    "compress": "tests/compress/test_compress_crash_road.py",
    "install": "tests/runtime/test_runtime_install_crash.py",
    "rollback": "tests/runtime/test_runtime_install_crash.py",
    "uninstall": "tests/runtime/test_runtime_install_crash.py",
    "keys new": "test_a_key_whose_making_was_killed_is_explained",
    "quickstart": "the verbs that it runs",
    "flash": "tests/boards/test_boards_flash_kills.py",
    "wheels": "a new folder, as `export` into a folder",
    "emulate setup": "a root that is renamed when it is whole",
    "emulate make": "a root that is renamed when it is whole",
    "measure-latency": "one JSON file, as `profile`",
    "validate": "one JSON file, as `profile`",
}


@pytest.fixture(scope="module")
def server() -> Iterator[CrashServer]:
    server = CrashServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory, arctic: Audio) -> Path:
    """What the verbs read."""
    import onnx
    from test_file_names import identity

    folder = tmp_path_factory.mktemp("given")
    record(folder / "recordings", 3, 2.5)
    onnx.save(identity(), str(folder / "teacher.onnx"))
    people(folder / "people", {"anna": 2, "ben": 2}, 2.0)
    people(folder / "long", {"her": 4}, 22.0)
    (folder / "people" / "target").mkdir()
    for number, half in enumerate((arctic[:32000], arctic[32000:])):
        soundfile.write(folder / "people" / "target" / f"{number}.wav", half, RATE)
    for role in ("unseen-source", "target-reference"):
        record(folder / "roles" / role / "someone", 2, 2.0)
    shutil.copy(BUNDLE, folder / "a.evc")
    done = invoke("keys", "new", "key", "--folder", str(folder), "--no-passphrase")
    assert done.exit_code == 0, done.output
    return folder


def people(folder: Path, counts: dict[str, int], seconds: float) -> None:
    """Write recordings of several speakers, no two alike."""
    for place, (speaker, count) in enumerate(counts.items()):
        (folder / speaker).mkdir(parents=True)
        for number in range(count):
            audio = voice(seconds, 100.0 + 30 * place + number, 100 * place + number)
            soundfile.write(folder / speaker / f"{number:02d}.wav", audio, RATE)


def test_every_verb_with_an_output_is_swept() -> None:
    verbs = {each.verb for each in declared() if each.place}
    assert verbs - {name.removesuffix(" bundle") for name in CASES} - set(ELSEWHERE) == set()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CASES)
def test_a_verb_killed_at_every_point_ends_as_undisturbed(
    name: str, server: CrashServer, given: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    case, scratch = CASES[name], tmp_path / "scratch"
    swept = sweep(server, case.words(given, out), out, scratch, case.resumes)
    assert swept.states >= 2
    assert swept.content
    if not case.resumes:
        whole_or_absent(scratch / "kept", swept.content, {})


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.resumes])
def test_killed_again_while_it_resumes_a_verb_ends_as_undisturbed(
    name: str, server: CrashServer, given: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    swept = sweep_twice(server, CASES[name].words(given, out), out, tmp_path / "scratch")
    assert swept.states >= 4
    assert swept.content


@pytest.mark.slow
def test_a_bundle_that_is_signed_in_place_is_the_old_one_or_the_new_one(
    server: CrashServer, given: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    shutil.copy(BUNDLE, out / "a.evc")
    old = content(out)
    words = ["sign", out / "a.evc", "--key", given / "key"]
    swept = sweep(server, words, out, tmp_path / "scratch")
    whole_or_absent(tmp_path / "scratch" / "kept", swept.content, old)
    assert swept.content != old


@pytest.mark.slow
def test_a_key_whose_making_was_killed_is_explained(server: CrashServer, tmp_path: Path) -> None:
    """Between the names of its two halves: the line that makes the other one is right."""
    folder, kept = tmp_path / "keys", tmp_path / "kept"
    folder.mkdir()
    kept.mkdir()
    words = ["keys", "new", "a", "--folder", folder, "--no-passphrase"]
    assert server.run(words, folder, kept)["code"] == 0
    halves = [state for state in kept.iterdir() if [*content(state)] == ["a"]]
    assert halves
    private = halves[0] / "a"
    done = invoke("keys", "new", "a", "--folder", str(halves[0]), "--no-passphrase")
    assert done.exit_code == 2
    command = done.stderr.strip().partition("make that: ")[2]
    subprocess.run(["sh", "-c", command], check=True)
    assert Path(f"{private}.pub").read_text().startswith("ssh-ed25519 ")
    assert invoke("keys", "list", "--folder", str(halves[0])).exit_code == 0


STOPPED = dict(CASES) | {
    "keys": Case(lambda given, out: ["keys", "new", "a", "--folder", out, "--type", "rsa",
                                     "--no-passphrase"]),
    "serve": Case(lambda given, out: ["serve", BUNDLE, "--port", "0"]),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", STOPPED)
def test_sigterm_ends_a_verb_cleaned_up(name: str, given: Path, tmp_path: Path) -> None:
    """At moments over its whole run, from its first file on."""
    words = [str(word) for word in STOPPED[name].words(given, tmp_path / "out")]
    whole_s = 0.0
    for share in (None, 0.15, 0.5, 0.9):
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        began = time.monotonic()
        command = [sys.executable, "-m", "edge_vc", *words]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
            try:
                child.wait(20.0 if share is None else share * whole_s)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGTERM)
            errors = child.communicate(timeout=60)[1]
        whole_s = whole_s or time.monotonic() - began
        assert b"Traceback" not in errors
        assert child.returncode in (0, 143, -signal.SIGTERM), errors.decode()
        if child.returncode == 143:  # before, nothing was begun
            assert not left(out)
