"""Any program as a teacher: run once per recording, files in and out."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import soundfile

from edge_vc.audio.io import Samples, write_audio
from edge_vc.settings import paths
from edge_vc.settings.field import choice, number
from edge_vc.teachers.kind import TeacherKind
from edge_vc.teachers.outliers import OutlierError
from edge_vc.teachers.spec import TeacherError, WaveformSpec
from edge_vc.teachers.waveform_teacher import fit_output
from edge_vc_runtime.audio.downmix import Downmix

LAST_LINES = 5
"""Number of last lines of a failed command's output that its error repeats."""
_TAIL_BYTES = 4096


@dataclass(frozen=True)
class CommandSpec(WaveformSpec):
    """A program that is run once per recording."""

    kind: str = choice("command", "command")
    command: str = paths.path_field(
        needed=True, example="python convert.py {input} {output}", parts=paths.words
    )
    """Command with ``{input}`` and ``{output}``, paths of WAV files; run without a shell."""
    timeout: float = number(300.0, 0.1, 86_400.0, "s")
    retries: int = number(1, 0, 20, "retries")
    """How often a failed run is tried again."""
    passing: ClassVar[tuple[str, ...]] = ("timeout", "retries")


def load(spec: CommandSpec) -> CommandTeacher:
    """Check the template; raises `TeacherError`. Whether the program works is found in use."""
    return CommandTeacher(spec, _words(spec))


def sources(spec: CommandSpec) -> list[Path]:
    """Return the files that the template names, such as scripts and weights."""
    return [Path(word) for word in _words(spec) if Path(word).is_file()]


class CommandTeacher:
    """Writes a WAV file, runs the command, reads the WAV file it wrote."""

    def __init__(self, spec: CommandSpec, words: list[str]) -> None:
        self._spec, self._words = spec, words

    @property
    def sample_rate(self) -> int:
        """Rate of input and output in Hz."""
        return self._spec.sample_rate

    def convert(self, audio: Samples) -> Samples:
        """Convert ``audio`` ``[T]``; a failed run is repeated as often as the spec allows.

        Raises `TeacherError` with the last lines of the command's stderr, and `OutlierError`
        for an output file that is not such audio.
        """
        for _ in range(self._spec.retries):
            with suppress(TeacherError):
                return self._once(audio)
        return self._once(audio)

    def _once(self, audio: Samples) -> Samples:
        spec = self._spec
        with tempfile.TemporaryDirectory(prefix="edge-vc-teacher-") as folder:
            given, output = Path(folder) / "input.wav", Path(folder) / "output.wav"
            write_audio(given, audio, spec.sample_rate)
            files = {"{input}": str(given), "{output}": str(output)}
            words = [_filled(word, files) for word in self._words]
            said = (Path(folder) / "stderr", Path(folder) / "stdout")
            _run(words, spec.timeout, *said)
            if not output.is_file():
                raise TeacherError(f"{words[0]}: wrote no {{output}} file{_tail(*said)}")
            return self._read(output, len(audio))

    def _read(self, path: Path, samples: int) -> Samples:
        expected = self._spec.output_sample_rate or self._spec.sample_rate
        try:
            with path.open("rb") as file:
                channels, rate = soundfile.read(file, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            reason = str(error.error_string).rstrip(".")
            raise TeacherError(f"{self._words[0]}: {{output}} is not audio ({reason})") from error
        if rate != expected:
            raise OutlierError(
                "wrong rate",
                f"the output is at {rate} Hz, not {expected}: set output_sample_rate = {rate}",
            )
        downmix = Downmix(channels.shape[1])
        downmix.decide([channels])
        return fit_output(downmix.mix(channels), samples, self._spec.sample_rate, rate)


def _words(spec: CommandSpec) -> list[str]:
    try:
        words = shlex.split(spec.command)
    except ValueError as error:
        raise TeacherError(f'teacher.command = "{spec.command}": {error}') from error
    for name in ("{input}", "{output}"):
        if not any(name in word for word in words[1:]):
            raise TeacherError(f'teacher.command = "{spec.command}": has no {name}')
    return words


def _filled(word: str, files: dict[str, str]) -> str:
    for name, path in files.items():
        word = word.replace(name, path)
    return word


def _run(words: list[str], timeout: float, stderr: Path, stdout: Path) -> None:
    """Run a command in its own session, so that everything it starts can be ended with it."""
    try:
        with stderr.open("wb") as errors, stdout.open("wb") as rest:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=rest,
                stderr=errors,
                start_new_session=True,
            )
    except OSError as error:
        raise TeacherError(f"{words[0]}: cannot be run ({error.strerror})") from error
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired as error:
        fact = f"{words[0]}: not done after {timeout:g} s{_tail(stderr, stdout)}"
        raise TeacherError(fact) from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code:
        raise TeacherError(f"{words[0]}: {_ended(code)}{_tail(stderr, stdout)}")


def _ended(code: int) -> str:
    if code < 0:
        return f"ended by signal {signal.Signals(-code).name}"
    return f"exit code {code}"


def _tail(*said: Path) -> str:
    """Return the last lines of the first non-empty file as one line."""
    for path in said:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if lines:
            return f", saying: {' | '.join(lines[-LAST_LINES:])}"
    return ", saying nothing"


KIND = TeacherKind(CommandSpec, load, sources, code=True)
