"""What remains to be done on a board, decided from the facts that it reports."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge_vc_boards.board import Board, BoardError
from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.facts import BoardFacts, read_facts
from edge_vc_boards.flash.installation_mode import (
    SYSTEM_CONFIG,
    InstallationMode,
    installation_mode,
)
from edge_vc_boards.flash.preflight import check_facts, find_profile, find_system
from edge_vc_boards.flash.request import FlashRequest
from edge_vc_boards.flash.signer_key import SignerKey
from edge_vc_boards.flash.wheel_choice import CarriedWheels, carried_wheels, given_wheels
from edge_vc_boards.profile_folder import load_board, load_boards
from edge_vc_runtime.install.unit import ServiceUnit

Say = Callable[[str], None]


@dataclass(frozen=True)
class DeployPlan:
    """The present and the wanted state of a board."""

    request: FlashRequest
    key: SignerKey | None
    facts: BoardFacts
    board: Board
    mode: InstallationMode
    wheels: CarriedWheels
    digest: str
    """SHA-256 of the bundle."""
    unit: bytes
    """The service's unit; empty for no service."""

    @property
    def same_venv(self) -> bool:
        """Whether the board has the wanted virtual environment, complete."""
        return self.facts.venv_link == f"venvs/{self.wheels.id}" and bool(self.facts.venv_whole)

    @property
    def same_unit(self) -> bool:
        """Whether the board has the wanted unit."""
        return self.facts.unit == hashlib.sha256(self.unit).hexdigest()

    @property
    def trusts_key(self) -> bool:
        """Whether the board lists the key of ``--trust``; also true if none was given."""
        return self.key is None or self.mode.config in self.facts.trusted

    @property
    def has_user(self) -> bool:
        """Whether the service's account exists."""
        return self.facts.service_user == "yes"

    @property
    def _service_is_done(self) -> bool:
        return self.has_user and self.same_unit and self.facts.active == "active"

    @property
    def is_done(self) -> bool:
        """Whether nothing remains to be done."""
        return (
            self.facts.bundle == self.digest
            and self.facts.settled == 1
            and self.same_venv
            and self.trusts_key
            and (not self.mode.service or self._service_is_done)
        )


def plan_deploy(
    shell: BoardShell, request: FlashRequest, key: SignerKey | None, say: Say
) -> DeployPlan:
    """Query a board and decide; raises `FlashError` if it may not get the bundle."""
    with named(shell):
        wanted = load_board(request.board) if request.board is not None else None
    facts = ask_facts(shell, request.root, key)
    with named(shell):
        board = find_profile(facts, load_boards(), wanted)
        check_facts(facts, request.bundle.manifest, board)
        mode = installation_mode(facts, request.service)
        _check_signers(facts, mode, request, key)
        wheels = _wheels(facts, board, request, say)
    digest = hashlib.sha256(request.bundle.path.read_bytes()).hexdigest()
    return DeployPlan(request, key, facts, board, mode, wheels, digest, _unit(mode, request))


def ask_facts(shell: BoardShell, root: str, key: SignerKey | None = None) -> BoardFacts:
    """Return the facts that a board reports, in one round trip; raises `FlashError`."""
    return read_facts(shell.ask("facts", [root, key.public if key else ""]), shell.name)


def _check_signers(
    facts: BoardFacts, mode: InstallationMode, request: FlashRequest, key: SignerKey | None
) -> None:
    """Refuse if the board would not check the signature, or not against this key."""
    decides = SYSTEM_CONFIG if SYSTEM_CONFIG in facts.signers else mode.config
    listed = decides in facts.signers
    if key and decides != mode.config and decides not in facts.trusted:
        raise FlashError(f"{decides}/allowed_signers decides there and lacks the --trust key")
    if request.bundle.signature and not (listed or key or request.allow_unsigned):
        raise FlashError(
            "lists no signers yet; name the key that signs its bundles, --trust KEY.pub, or "
            "leave signatures unchecked there, --allow-unsigned"
        )


def _wheels(facts: BoardFacts, board: Board, request: FlashRequest, say: Say) -> CarriedWheels:
    system = find_system(facts, board)
    if request.wheels is not None:
        return given_wheels(request.wheels, board, facts.python)
    return carried_wheels(board, system, facts.python, request.engine, say)


def _unit(mode: InstallationMode, request: FlashRequest) -> bytes:
    if not mode.service:
        return b""
    root = Path(mode.root)
    program = root / "venv" / "bin" / "edge-vc-rt"
    return ServiceUnit(root, program, request.run_arguments).text().encode()


@contextmanager
def named(shell: BoardShell) -> Iterator[None]:
    """Prefix errors with the board's name."""
    try:
        yield
    except (FlashError, BoardError) as error:
        raise FlashError(f"{shell.name}: {error}") from error
