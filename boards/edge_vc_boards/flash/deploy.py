"""A bundle on a board: looked at, sent what is missing, switched in one step, checked."""

from __future__ import annotations

import hashlib
import json
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge_vc_boards.board import Board, BoardError
from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.error import FlashCheckError, FlashError
from edge_vc_boards.flash.facts import BoardFacts, read_facts
from edge_vc_boards.flash.installation_mode import InstallationMode, installation_mode
from edge_vc_boards.flash.preflight import (
    check_disk,
    check_facts,
    check_sound,
    facts_notes,
    find_profile,
    find_system,
)
from edge_vc_boards.flash.remote_scripts import script_text
from edge_vc_boards.flash.request import FlashRequest, FlashResult
from edge_vc_boards.flash.signer_key import SignerKey, check_signed, read_signer_key
from edge_vc_boards.flash.ssh import RemoteOutput
from edge_vc_boards.flash.wheel_choice import CarriedWheels, carried_wheels, given_wheels
from edge_vc_boards.profile_folder import load_boards
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.install.layout import release_name
from edge_vc_runtime.install.unit import ServiceUnit
from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object

_HEALTH_S = "5"
_SYSTEM_CONFIG = "/etc/edge-vc"
Say = Callable[[str], None]


def flash_board(shell: BoardShell, request: FlashRequest, say: Say) -> FlashResult:
    """Install a bundle on a board, with wheels and service, unless it is there already.

    Raises `FlashError` for a board or bundle that is refused and `FlashCheckError` for a release
    that failed there; in both cases what ran before runs on.
    """
    began = time.monotonic()
    key = read_signer_key(request.trust) if request.trust else None
    check_signed(request.bundle, key, request.allow_unsigned)
    flash = _Flash(shell, request, key, say)
    result = flash.run()
    release, changed, previous = result
    return FlashResult(release, changed, previous, flash.service, time.monotonic() - began)


def ask_facts(shell: BoardShell, root: str, key: SignerKey | None = None) -> BoardFacts:
    """Return what a board says of itself, in one round trip; raises `FlashError`."""
    return read_facts(shell.ask("facts", [root, key.public if key else ""]), shell.name)


class _Flash:
    """One run: the facts decide what is left to do."""

    def __init__(
        self, shell: BoardShell, request: FlashRequest, key: SignerKey | None, say: Say
    ) -> None:
        self.shell, self.request, self.key, self.say = shell, request, key, say
        self.facts = ask_facts(shell, request.root, key)
        with _named(shell):
            self.board = find_profile(self.facts, load_boards(), request.board)
            check_facts(self.facts, request.bundle.manifest, self.board)
            self.mode = installation_mode(self.facts, request.service)
            self._check_signers()
        self.wheels = self._wheels(self.board)
        self.sum = hashlib.sha256(request.bundle.path.read_bytes()).hexdigest()
        self.unit = _unit(self.mode, request)
        shell.root_rights = self.mode.sudo

    @property
    def service(self) -> str:
        return "running" if self.mode.service else f"no service: {self.mode.no_service}"

    def run(self) -> tuple[str, bool, str]:
        if self._is_done():
            return self.facts.release, False, ""
        if self.mode.service:
            with _named(self.shell):
                check_sound(self.facts)
        for note in facts_notes(self.facts):
            self.say(f"{self.shell.name}: note: {note}")
        self._send()
        self._make_venv()
        if self.key and self.mode.config not in self.facts.trusted:
            now = str(int(time.time()))
            self.shell.change("trust", [self.mode.config, self.key.line, now])
        if self.mode.service and not self._same_unit():
            self.shell.change("unit", [], self.unit)
        return self._activate()

    def _is_done(self) -> bool:
        facts = self.facts
        return (
            facts.bundle == self.sum
            and facts.settled == 1
            and self._same_venv()
            and (not self.key or self.mode.config in facts.trusted)
            and (not self.mode.service or (self._same_unit() and facts.active == "active"))
        )

    def _same_venv(self) -> bool:
        return self.facts.venv_link == f"venvs/{self.wheels.id}" and bool(self.facts.venv_whole)

    def _same_unit(self) -> bool:
        return self.facts.unit == hashlib.sha256(self.unit).hexdigest()

    def _check_signers(self) -> None:
        """Refuse where the board would not check the signature, or not against this key."""
        decides, facts = self.mode.config, self.facts
        if _SYSTEM_CONFIG in facts.signers:
            decides = _SYSTEM_CONFIG
        listed = decides in facts.signers
        if self.key and decides != self.mode.config and decides not in facts.trusted:
            raise FlashError(f"{decides}/allowed_signers decides there and lacks the --trust key")
        if self.request.bundle.signature and not (listed or self.key or self._unsigned()):
            raise FlashError(
                "lists no signers yet; name the key that signs its bundles, --trust KEY.pub, or "
                "leave signatures unchecked there, --allow-unsigned"
            )

    def _unsigned(self) -> bool:
        return self.request.allow_unsigned

    def _wheels(self, board: Board) -> CarriedWheels:
        with _named(self.shell):
            system = find_system(self.facts, board)
            python, folder = self.facts.python, self.request.wheels
            if folder is not None:
                return given_wheels(folder, board, python)
            return carried_wheels(board, system, python, self.request.engine, self.say)

    def _send(self) -> None:
        """Send wheels that are missing, and the bundle, each whole or not at all."""
        root, bundle = self.mode.root, self.request.bundle.path
        missing = [] if self._same_venv() else self.wheels.missing(self.facts.wheels)
        size = bundle.stat().st_size
        with _named(self.shell):
            check_disk(self.facts, sum(wheel.size for wheel in missing), size)
        for wheel in missing:
            self.say(f"{self.shell.name}: sending {wheel.file} ({wheel.size / 1e6:.1f} MB)")
            path = self.wheels.folder / wheel.file
            self.shell.change("receive", [f"{root}/wheels", wheel.file, wheel.sha256], path)
        if self.facts.bundle != self.sum:
            self.say(f"{self.shell.name}: sending {bundle.name} ({size / 1e6:.1f} MB)")
            self.shell.change("receive", [f"{root}/incoming", f"{self.sum}.evc", self.sum], bundle)

    def _make_venv(self) -> None:
        if self._same_venv():
            return
        self.say(f"{self.shell.name}: making its virtual environment")
        root, id, listed = self.mode.root, self.wheels.id, self.wheels.requirements
        digest = hashlib.sha256(listed).hexdigest()
        path = self.wheels.folder / "requirements.txt"
        self.shell.change("receive", [f"{root}/wheels", f"{id}.txt", digest], path)
        self.shell.change("venv", [root, id])

    def _activate(self) -> tuple[str, bool, str]:
        root, request = self.mode.root, self.request
        self.say(f"{self.shell.name}: checking and installing the bundle there")
        arrived = f"{root}/incoming/{self.sum}.evc"
        source = f"{root}/current/bundle.evc" if self.facts.bundle == self.sum else arrived
        health = script_text("health") if self.mode.service else ""
        options = ["--board", self.board.name]
        options += ["--allow-downgrade"] if request.allow_downgrade else []
        if self.mode.service:
            command = ["sh", "-c", health, "edge-vc-health", root, _HEALTH_S]
            options += ["--health", shlex.join(command)]
        restart = not (self._same_unit() and self._same_venv())
        service = "no" if not self.mode.service else "restart" if restart else "yes"
        words = [root, self.wheels.id, source, service, health, *options]
        done = self.shell.attempt("activate", words)
        if self.shell.dry_run:
            return release_name(request.bundle), False, ""
        return _installed(self.shell.name, done, request.bundle)


def _unit(mode: InstallationMode, request: FlashRequest) -> bytes:
    if not mode.service:
        return b""
    root = Path(mode.root)
    program = root / "venv" / "bin" / "edge-vc-rt"
    return ServiceUnit(root, program, request.run_arguments).text().encode()


def _installed(name: str, done: RemoteOutput, bundle: Bundle) -> tuple[str, bool, str]:
    """Read what the installer on the board said."""
    try:
        line = next(each for each in done.stdout.splitlines() if each.startswith("{"))
        said = parse_object(line.encode())
        if said.get("ok") is False:
            reason = Fields(said).text("reason", r"[^\n]*", 2000)
            raise FlashCheckError(f"{name}: {reason}")
        if done.code == 0:
            return release_name(bundle), said.get("changed") is True, str(said.get("previous", ""))
    except (StopIteration, FieldError, json.JSONDecodeError):
        pass
    if done.code == 1:
        raise FlashCheckError(f"{name}: {done.last_line()}; what ran before runs again")
    raise FlashError(f"{name}: {done.last_line()}")


@contextmanager
def _named(shell: BoardShell) -> Iterator[None]:
    """Put the board's name before an error."""
    try:
        yield
    except (FlashError, BoardError) as error:
        raise FlashError(f"{shell.name}: {error}") from error
