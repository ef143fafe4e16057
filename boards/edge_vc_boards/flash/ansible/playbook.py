"""``edge-vc flash --ansible``: a folder for ``ansible-playbook``, with everything it copies."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

from edge_vc_boards.board import Board
from edge_vc_boards.flash.audio_setup import AudioSetup
from edge_vc_boards.flash.carried_systems import CarriedSystem, carried_systems
from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.installation_mode import SYSTEM_CONFIG
from edge_vc_boards.flash.inventory_host import InventoryHost
from edge_vc_boards.flash.remote_scripts import ScriptName, script_text
from edge_vc_boards.flash.request import FlashRequest
from edge_vc_boards.flash.signer_key import SignerKey, check_signed, read_signer_key
from edge_vc_runtime.files.writing import write_whole

_PLAYS = ("install.yml", "rollback.yml", "uninstall.yml")
_SCRIPTS: tuple[ScriptName, ...] = (
    *("facts", "audio", "venv", "trust", "user", "unit", "health", "activate", "rollback"),
    "remove",
)
Say = Callable[[str], None]


def write_playbook(
    request: FlashRequest,
    folder: Path,
    hosts: Sequence[InventoryHost],
    system: str | None,
    say: Say,
) -> list[Path]:
    """Write plays, variables, bundle, wheels and scripts; with ``hosts`` also an inventory.

    Returns the files that a user passes to Ansible. Raises `FlashError` for a rejected bundle, a
    relative root, or a folder that contains something else.
    """
    key = read_signer_key(request.trust) if request.trust else None
    check_signed(request.bundle, key, request.allow_unsigned)
    if request.bundle.signature and key is None and not request.allow_unsigned:
        raise FlashError("the boards list no signers by themselves: --trust KEY.pub, or "
                         "--allow-unsigned")  # fmt: skip
    if not request.root.startswith("/"):
        raise FlashError(f"--root {request.root}: has to be absolute for Ansible")
    if folder.exists() and not (folder / "edge-vc.json").exists() and any(folder.iterdir()):
        raise FlashError(f"--ansible {folder}: holds other files; name a new folder")
    board, systems = carried_systems(request, system, say)
    try:
        return _write(request, folder, hosts, key, board, systems)
    except OSError as error:
        raise FlashError(f"--ansible {folder}: {error.strerror or error}") from error


def _write(
    request: FlashRequest,
    folder: Path,
    hosts: Sequence[InventoryHost],
    key: SignerKey | None,
    board: Board,
    systems: Sequence[CarriedSystem],
) -> list[Path]:
    files = folder / "files"
    shutil.rmtree(files, ignore_errors=True)
    for name in ("wheels", "requirements", "scripts"):
        (files / name).mkdir(parents=True)
    shutil.copyfile(request.bundle.path, files / "bundle.evc")
    for each in systems:
        for wheel in each.wheels.listed.wheels:
            shutil.copyfile(each.wheels.folder / wheel.file, files / "wheels" / wheel.file)
        listed = files / "requirements" / f"{each.wheels.id}.txt"
        write_whole(listed, each.wheels.requirements)
    for script in _SCRIPTS:
        write_whole(files / "scripts" / f"{script}.sh", script_text(script))
    plays = resources.files("edge_vc_boards") / "flash" / "ansible" / "plays"
    for play in _PLAYS:
        write_whole(folder / play, (plays / play).read_bytes())
    variables = {"edge_vc": _variables(request, key, board, systems)}
    write_whole(folder / "edge-vc.json", json.dumps(variables, indent=1) + "\n")
    written = [folder / play for play in _PLAYS]
    if hosts:
        path = folder / "hosts.yml"
        write_whole(path, json.dumps(_inventory(hosts), indent=1) + "\n")
        written.append(path)
    return written


def _variables(
    request: FlashRequest,
    key: SignerKey | None,
    board: Board,
    systems: Sequence[CarriedSystem],
) -> dict[str, object]:
    data = request.bundle.path.read_bytes()
    sizes = [sum(wheel.size for wheel in each.wheels.listed.wheels) for each in systems]
    return {
        "root": request.root,
        "config": SYSTEM_CONFIG,
        "arch": board.arch,
        "bundle": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)},
        "needed_kb": (4 * max(sizes) + 2 * len(data) + (32 << 20)) >> 10,
        "key": key.public if key else "",
        "signer": key.line if key else "",
        "service": request.service,
        "audio": _audio(request.audio),
        "run": list(request.run_arguments),
        "allow_downgrade": request.allow_downgrade,
        "targets": {each.system.python: _target(each) for each in systems},
    }


def _audio(setup: AudioSetup | None) -> list[str] | None:
    """Return the arguments of ``audio.sh``; None leaves the sound cards unchanged."""
    return None if setup is None else ["\n".join(setup.overlays), "\n".join(setup.rules)]


def _target(each: CarriedSystem) -> dict[str, object]:
    return {
        "id": each.wheels.id,
        "glibc": each.system.glibc,
        "tegra": each.system.tegra_release,
        "wheels": [{"file": wheel.file} for wheel in each.wheels.listed.wheels],
    }


def _inventory(hosts: Sequence[InventoryHost]) -> dict[str, object]:
    """Return the hosts in Ansible's format, as JSON, which is valid YAML."""
    groups: dict[str, dict[str, object]] = {}
    for host in hosts:
        user, _, address = host.to.rpartition("@")
        found = {
            "ansible_host": address,
            "ansible_user": user,
            "ansible_port": host.port,
            "ansible_ssh_private_key_file": str(host.identity) if host.identity else None,
            "edge_vc_board": host.board,
            "edge_vc_run": list(host.run),
        }
        variables = {name: value for name, value in found.items() if value}
        for group in [each for each in host.groups if each != "all"] or ["ungrouped"]:
            groups.setdefault(group, {})[host.name] = variables
    return {"all": {"children": {name: {"hosts": each} for name, each in groups.items()}}}
