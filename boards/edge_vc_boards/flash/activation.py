"""The last step of a flash: the board checks the bundle, makes it current and starts it."""

from __future__ import annotations

import json
import re
import shlex

from edge_vc_boards.flash.board_shell import BoardShell
from edge_vc_boards.flash.deploy_plan import DeployPlan
from edge_vc_boards.flash.error import FlashCheckError, FlashError
from edge_vc_boards.flash.remote_scripts import script_text
from edge_vc_boards.flash.ssh import RemoteOutput
from edge_vc_runtime.bundle.reader import Bundle
from edge_vc_runtime.install.layout import release_name
from edge_vc_runtime.install.switching import InstallResult
from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object

_HEALTH_S = "5"


def activate(shell: BoardShell, plan: DeployPlan) -> InstallResult:
    """Make the bundle current; raises `FlashCheckError` if the previous release was restored.

    A dry run returns the expected result.
    """
    done = shell.attempt("activate", _words(plan))
    if shell.dry_run:
        return InstallResult(release_name(plan.request.bundle), "", changed=True)
    return _installed(shell.name, done, plan.request.bundle)


def _words(plan: DeployPlan) -> list[str]:
    """Return the arguments of the script ``activate``."""
    root = plan.mode.root
    here = plan.facts.bundle == plan.digest
    source = f"{root}/current/bundle.evc" if here else f"{root}/incoming/{plan.digest}.evc"
    options = ["--board", plan.board.name]
    options += ["--allow-downgrade"] if plan.request.allow_downgrade else []
    health = script_text("health") if plan.mode.service else ""
    if plan.mode.service:
        command = ["sh", "-c", health, "edge-vc-health", root, _HEALTH_S]
        options += ["--health", shlex.join(command)]
    restart = not (plan.same_unit and plan.same_venv)
    service = "no" if not plan.mode.service else "restart" if restart else "yes"
    return [root, plan.wheels.id, source, service, health, *options]


def _installed(name: str, done: RemoteOutput, bundle: Bundle) -> InstallResult:
    """Parse the output of the installer on the board."""
    try:
        line = next(each for each in done.stdout.splitlines() if each.startswith("{"))
        said = parse_object(line.encode())
        if said.get("ok") is False:
            reason = Fields(said).text("reason", r"[^\n]*", 2000)
            raise FlashCheckError(f"{name}: {reason}")
        if done.code == 0:
            previous, changed = str(said.get("previous", "")), said.get("changed") is True
            return InstallResult(release_name(bundle), previous, changed)
    except (StopIteration, FieldError, json.JSONDecodeError):
        pass
    why = re.sub(r"\S*/incoming/[0-9a-f]{64}\.evc", lambda _: str(bundle.path), done.last_line())
    if done.code == 1:
        raise FlashCheckError(f"{name}: {why}; the previous release was restored")
    raise FlashError(f"{name}: {why}")
