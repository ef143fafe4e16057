"""The wheels of a board, collected here so that the board needs no network."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from edge_vc_boards.board import BoardError
from edge_vc_boards.emulation.error import EmulationError
from edge_vc_boards.wheels.pyaudio_wheel import pyaudio_wheel
from edge_vc_boards.wheels.requirements import WheelSet
from edge_vc_boards.wheels.runtime_wheel import write_runtime_wheel
from edge_vc_boards.wheels.wheel_list import WheelList, check_wheels, list_wheel, write_list
from edge_vc_runtime.files.durable import rename, sync_file
from edge_vc_runtime.files.part_folder import scratch_folder

PYAUDIO, SOUNDDEVICE = "PyAudio", "sounddevice"
Say = Callable[[str], None]


def collect_wheels(wheels: WheelSet, folder: Path, say: Say = lambda line: None) -> WheelList:
    """Put every wheel of a set into ``folder`` and list them; nothing is fetched twice.

    PyAudio's wheel is built here. If that is not possible, python-sounddevice takes its place, and
    the list's note says why. Raises `BoardError` with pip's reason.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = _kept(wheels, folder)
    if kept is not None:
        return kept
    with scratch_folder(folder) as scratch:
        live, note = _add_live(wheels, scratch, say)
        write_runtime_wheel(scratch)
        say(f"fetching {len(wheels.requirements) + len(wheels.audio)} wheels")
        pinned = [*wheels.requirements, *wheels.audio]
        _download(wheels, pinned + list(wheels.sounddevice) * (live == SOUNDDEVICE), scratch)
        paths = sorted(scratch.glob("*.whl"), key=lambda path: path.name.lower())
        made = WheelList(
            board=wheels.board.name,
            system=wheels.system.key,
            python=wheels.python,
            engine=wheels.engine.name,
            requirements=tuple(wheels.lines()),
            live=live,
            note=note,
            wheels=tuple(list_wheel(path) for path in paths),
        )
        for path in paths:
            sync_file(path)
            rename(path, folder / path.name)
    write_list(folder, made)
    return made


def _kept(wheels: WheelSet, folder: Path) -> WheelList | None:
    """Return the existing list if it is complete and the runtime has not changed."""
    try:
        listed = check_wheels(folder)
    except BoardError:
        return None
    with tempfile.TemporaryDirectory() as name:
        runtime = list_wheel(write_runtime_wheel(Path(name)))
    same = listed.requirements == tuple(wheels.lines()) and listed.board == wheels.board.name
    # A note means that PyAudio could not be built; it may be possible now.
    return listed if same and runtime in listed.wheels and not listed.note else None


def _add_live(wheels: WheelSet, folder: Path, say: Say) -> tuple[str, str]:
    """Put PyAudio's wheel into ``folder``; return the board's sound package, and a note."""
    if wheels.board.arch != "aarch64":
        return SOUNDDEVICE, _note(wheels, f"it is made for aarch64, not for {wheels.board.arch}")
    try:
        say(f"making PyAudio for Python {wheels.python}, a minute unless it was made before")
        made = pyaudio_wheel(wheels.python, wheels.system.glibc)
    except EmulationError as error:
        return SOUNDDEVICE, _note(wheels, str(error))
    (folder / made.name).write_bytes(made.read_bytes())
    return PYAUDIO, ""


def _note(wheels: WheelSet, reason: str) -> str:
    return (
        f"PyAudio for Python {wheels.python} cannot be made here ({reason}); python-sounddevice "
        "takes its place, for which the board needs its system package libportaudio2"
    )


def _download(wheels: WheelSet, pinned: list[str], folder: Path) -> None:
    listed = folder / "pins.txt"
    listed.write_text("\n".join(pinned) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--dest", str(folder)]
    command += [*wheels.pip_options(), "--requirement", str(listed)]
    environment = {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = lines[-1] if lines else f"pip ended with {done.returncode}"
        raise BoardError(f"wheels of {wheels.board.name} could not be fetched: {reason}")
