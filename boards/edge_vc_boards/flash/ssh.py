"""Commands on a board through the user's own OpenSSH, over one connection."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.ssh_failures import ssh_failure

_TARGET = r"(?:[A-Za-z0-9_][A-Za-z0-9_.+-]{0,63}@)?[A-Za-z0-9\[][A-Za-z0-9_.:%\]-]{0,252}"
_LIMIT = 1 << 20  # bytes of output that a board may send
_UNCHECKED = r"(?i)\s*StrictHostKeyChecking\s*[ =]\s*\"?(no|off|false)\b.*"
_FAILED = 255


@dataclass(frozen=True)
class SshTarget:
    """Where to log in and how."""

    name: str
    """``user@host``, or a name in ``~/.ssh/config``."""
    port: int | None = None
    identity: Path | None = None
    """Private key; None lets OpenSSH choose."""
    options: tuple[str, ...] = ()
    """Values for ``ssh -o``."""

    def __post_init__(self) -> None:
        """Reject invalid names, and options that disable the check of host keys."""
        if not re.fullmatch(_TARGET, self.name):
            raise FlashError(f"{self.name!r:.100}: has to be USER@HOST, like pi@raspberrypi.local")
        for option in self.options:
            if re.fullmatch(_UNCHECKED, option):
                raise FlashError(f"--ssh-option {option:.60}: host keys are always checked")

    def words(self) -> list[str]:
        """Return the options of ``ssh``; the user's come first, since the first value wins."""
        words = [word for option in self.options for word in ("-o", option)]
        words += ["-p", str(self.port)] if self.port is not None else []
        words += ["-i", str(self.identity)] if self.identity is not None else []
        usual = ("ConnectTimeout=10", "ServerAliveInterval=5", "ServerAliveCountMax=3")
        return words + [word for option in usual for word in ("-o", option)]


@dataclass(frozen=True)
class RemoteOutput:
    """The result of a command on the board."""

    code: int
    stdout: str
    stderr: str
    data: bytes = b""
    """Its stdout, undecoded."""

    def last_line(self) -> str:
        """Return the last line of its output, for an error message."""
        lines = [line for line in f"{self.stdout}\n{self.stderr}".splitlines() if line.strip()]
        return lines[-1].strip()[:400] if lines else f"ended with {self.code}"


class SshConnection:
    """One login, shared by all commands through a socket in a private folder."""

    def __init__(self, target: SshTarget, show: Callable[[str], None] | None = None) -> None:
        """Set the target; ``show`` is called with every command line before it runs."""
        self.target = target
        self._show = show
        self._folder = Path(tempfile.mkdtemp(prefix="edge-vc-"))
        self._options = target.words()

    def __enter__(self) -> SshConnection:
        """Make sure that host keys are checked, regardless of ``~/.ssh/config``."""
        try:
            self._options += self._checked_keys()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        shared = ("ControlMaster=auto", "ControlPersist=60", f"ControlPath={self._folder}/s")
        self._options += [word for option in shared for word in ("-o", option)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Log out."""
        if (self._folder / "s").exists():
            self._local(["-O", "exit", "--", self.target.name], 10.0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(
        self, words: Sequence[str], stdin: Path | bytes | None = None, timeout_s: float = 120.0
    ) -> RemoteOutput:
        """Run a command on the board; its words are passed unchanged.

        Raises `FlashError` if the connection fails, but not if the command fails.
        """
        line = shlex.join(words)
        self.show(words, stdin)
        with tempfile.TemporaryFile() as held:
            if isinstance(stdin, bytes):
                held.write(stdin)
                held.seek(0)
            if not isinstance(stdin, Path):
                return self._command(line, held, timeout_s)
            with stdin.open("rb") as file:
                return self._command(line, file, timeout_s)

    def show(self, words: Sequence[str], stdin: Path | bytes | None = None) -> None:
        """Show a command as a user would type it."""
        if self._show is not None:
            source = f" < {shlex.quote(str(stdin))}" if isinstance(stdin, Path) else ""
            source = " < (the unit)" if isinstance(stdin, bytes) else source
            if "-c" in words:  # the arguments after a script's text describe it
                called = " ".join(words[words.index("-c") + 2 :]).partition("\n")[0]
                self._show(f"# {called[:160]}{'...' * (len(called) > 160)}")
            self._show(f"ssh {self.target.name} {shlex.quote(shlex.join(words))}{source}")

    def _command(self, line: str, stdin: IO[bytes], timeout_s: float) -> RemoteOutput:
        done = self._local(["-T", "--", self.target.name, line], timeout_s, stdin)
        if done.code == _FAILED:
            raise ssh_failure(self.target.name, done.stderr)
        return done

    def _checked_keys(self) -> list[str]:
        """Return options that enable the check of host keys if the configuration disables it."""
        told = self._local(["-G", "--", self.target.name], 10.0)
        if told.code:
            raise FlashError(f"{self.target.name}: ssh: {told.last_line()}")
        found = re.search(r"(?m)^stricthostkeychecking (\S+)$", told.stdout)
        if found is None or found[1] not in ("no", "off", "false"):
            return []
        return ["-o", f"StrictHostKeyChecking={'ask' if sys.stdin.isatty() else 'yes'}"]

    def _local(
        self, words: Sequence[str], timeout_s: float, stdin: IO[bytes] | None = None
    ) -> RemoteOutput:
        """Run ``ssh``; its output goes to files: its background process would keep a pipe open."""
        command = ["ssh", *self._options, *words]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                code = subprocess.run(
                    command, stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err,
                    timeout=timeout_s, check=False,
                ).returncode  # fmt: skip
            except FileNotFoundError as error:
                raise FlashError("ssh is not installed here: apt install openssh-client") from error
            except subprocess.TimeoutExpired as error:
                raise FlashError(
                    f"{self.target.name}: no answer within {timeout_s:.0f} s; the same command "
                    "resumes where it stopped"
                ) from error
            said = _bytes(out)
            return RemoteOutput(code, _text(said), _text(_bytes(err)), said)


def _bytes(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read(_LIMIT)


def _text(said: bytes) -> str:
    return said.decode(errors="replace")
