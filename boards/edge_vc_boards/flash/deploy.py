"""Deployment to a board: inspect it, send what is missing, switch atomically, check."""

from __future__ import annotations

import hashlib
import time

from edge_vc_boards.flash.activation import activate
from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.deploy_plan import DeployPlan, Say, named, plan_deploy
from edge_vc_boards.flash.preflight import check_disk, check_sound, facts_notes
from edge_vc_boards.flash.request import FlashRequest, FlashResult
from edge_vc_boards.flash.signer_key import check_signed, read_signer_key
from edge_vc_runtime.install.switching import InstallResult


def flash_board(shell: BoardShell, request: FlashRequest, say: Say) -> FlashResult:
    """Install a bundle on a board, with wheels and service, unless it is already installed.

    Raises `FlashError` for a rejected board or bundle and `FlashCheckError` for a release that
    failed there; in both cases the previous release keeps running.
    """
    began = time.monotonic()
    key = read_signer_key(request.trust) if request.trust else None
    check_signed(request.bundle, key, request.allow_unsigned)
    plan = plan_deploy(shell, request, key, say)
    shell.root_rights = plan.mode.sudo
    done = (
        InstallResult(plan.facts.release, "", False) if plan.is_done else _deploy(shell, plan, say)
    )
    service = "running" if plan.mode.service else f"no service: {plan.mode.no_service}"
    seconds = time.monotonic() - began
    return FlashResult(done.release, done.changed, done.previous, service, seconds)


def _deploy(shell: BoardShell, plan: DeployPlan, say: Say) -> InstallResult:
    if plan.mode.service:
        with named(shell):
            check_sound(plan.facts)
    for note in facts_notes(plan.facts):
        say(f"{shell.name}: note: {note}")
    _send(shell, plan, say)
    _make_venv(shell, plan, say)
    if plan.key and not plan.trusts_key:
        now = str(int(time.time()))
        shell.change("trust", [plan.mode.config, plan.key.line, now])
    if plan.mode.service:
        _describe_service(shell, plan)
    say(f"{shell.name}: checking and installing the bundle there")
    return activate(shell, plan)


def _describe_service(shell: BoardShell, plan: DeployPlan) -> None:
    if not plan.has_user:
        shell.change("user", ["make"])
    if not plan.same_unit:
        shell.change("unit", [], plan.unit)


def _send(shell: BoardShell, plan: DeployPlan, say: Say) -> None:
    """Send the missing wheels and the bundle, each file atomically."""
    root, bundle = plan.mode.root, plan.request.bundle.path
    missing = [] if plan.same_venv else plan.wheels.missing(plan.facts.wheels)
    size = bundle.stat().st_size
    with named(shell):
        check_disk(plan.facts, sum(wheel.size for wheel in missing), size)
    for wheel in missing:
        say(f"{shell.name}: sending {wheel.file} ({wheel.size / 1e6:.1f} MB)")
        path = plan.wheels.folder / wheel.file
        shell.change("receive", [f"{root}/wheels", wheel.file, wheel.sha256], path)
    if plan.facts.bundle != plan.digest:
        say(f"{shell.name}: sending {bundle.name} ({size / 1e6:.1f} MB)")
        words = [f"{root}/incoming", f"{plan.digest}.evc", plan.digest]
        shell.change("receive", words, bundle)


def _make_venv(shell: BoardShell, plan: DeployPlan, say: Say) -> None:
    if plan.same_venv:
        return
    say(f"{shell.name}: making its virtual environment")
    root, id = plan.mode.root, plan.wheels.id
    digest = hashlib.sha256(plan.wheels.requirements).hexdigest()
    path = plan.wheels.folder / "requirements.txt"
    shell.change("receive", [f"{root}/wheels", f"{id}.txt", digest], path)
    shell.change("venv", [root, id])
