"""`edge-vc flash --ansible`: the playbook's files, and the playbook run by Ansible over SSH."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from boards_flash import events, flash, new_pair, shipped_as, small_wheels
from boards_served import check_whole
from boards_sshd import LoopbackServer
from runtime_installs import NO_INDEX
from runtime_installs_disk import mini_version

from edge_vc.assets import bundle_path
from edge_vc_boards.board import BoardError
from edge_vc_boards.flash.inventory import read_inventory
from edge_vc_boards.flash.inventory_host import InventoryHost
from edge_vc_boards.flash.plain_yaml import read_plain_yaml
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.collect import collect_wheels
from edge_vc_boards.wheels.requirements import wheel_set

RULES = Path("/etc/udev/rules.d/60-edge-vc-audio.rules")
HOSTS = """[hosts.left]
to = "pi@10.0.0.7"
groups = ["kitchen"]
port = 2222
run = ["--input", "a b"]
"""


def test_a_playbook_carries_all_it_needs(tmp_path: Path) -> None:
    pair = new_pair(tmp_path)
    bundle = pair.sign(mini_version(tmp_path / "mini.evc", "1.0"))
    hosts = tmp_path / "boards.toml"
    hosts.write_text(HOSTS)
    out, wheels = tmp_path / "play", small_wheels(tmp_path / "wheels")
    words = ("--ansible", str(out), "--wheels", str(wheels), "--inventory", str(hosts))
    done = flash(str(bundle), *words, "--trust", str(pair.public), "--", "--input", "x y")
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split() == [
        str(out / name) for name in ("install.yml", "rollback.yml", "uninstall.yml", "hosts.yml")
    ]
    told = json.loads((out / "edge-vc.json").read_text())["edge_vc"]
    assert told["run"] == ["--input", "x y"]
    assert told["signer"].startswith("ci@example.com namespaces=")
    target = told["targets"]["3.11"]
    assert (out / "files/wheels" / target["wheels"][0]["file"]).is_file()
    assert (out / "files/requirements" / f"{target['id']}.txt").is_file()
    assert (out / "files/bundle.evc").read_bytes() == bundle.read_bytes()
    (play,) = read_plain_yaml((out / "install.yml").read_text())
    assert play["serial"] == [1, "25%"]
    assert play["any_errors_fatal"] is True
    assert read_inventory(out / "hosts.yml") == tuple(
        replace_groups(host) for host in read_inventory(hosts)
    )
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert flash(str(bundle), *words, "--trust", str(pair.public), "--", "--input", "x y")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def replace_groups(host: InventoryHost) -> InventoryHost:
    """Return a host as an inventory of Ansible has it: in the group of all hosts as well."""
    return replace(host, groups=("all", *host.groups))


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    bundle = str(mini_version(tmp_path / "mini.evc", "1.0"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").touch()
    wheels = ("--wheels", str(small_wheels(tmp_path / "wheels")), "--allow-unsigned")
    done = flash(bundle, "--ansible", str(tmp_path / "mine"), *wheels)
    assert done.exit_code == 2
    assert "holds other files" in done.stderr
    done = flash(bundle, "--ansible", str(tmp_path / "new"), "--root", "edge-vc", *wheels)
    assert "has to be absolute" in done.stderr
    done = flash(bundle, "--ansible", str(tmp_path / "new"), *wheels[:2])
    assert "is not signed" in done.stderr
    assert flash(bundle, "--ansible", "x", "--to", "pi@x").exit_code == 2
    assert flash("--ansible", "x", "--list").exit_code == 2
    assert not (tmp_path / "new").exists()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LoopbackServer]:
    (tmp_path / "server").mkdir()
    made, ours = LoopbackServer(tmp_path / "server"), not RULES.exists()
    yield made
    made.close()
    if ours:
        RULES.unlink(missing_ok=True)


class Playing:
    """Ansible against the server, in a home folder of its own."""

    def __init__(self, server: LoopbackServer, folder: Path, root: Path) -> None:
        program = Path(sys.executable).with_name("ansible-playbook")
        if not program.exists():
            pytest.skip("no Ansible: pip install 'edge-vc[ansible]'")
        target = server.target()
        options = " ".join(f"-o {option}" for option in target.options)
        host = {
            "ansible_host": "127.0.0.1",
            "ansible_user": "root",
            "ansible_port": target.port,
            "ansible_ssh_private_key_file": str(target.identity),
            "ansible_ssh_common_args": options,
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        hosts = folder / "real.yml"
        hosts.write_text(json.dumps({"all": {"hosts": {"one": host}}}))
        told = {
            "edge_vc_become": False,
            "edge_vc_root": str(root),
            "edge_vc_config": str(server.folder / "home/.config/edge-vc"),
        }
        self._words = [str(program), "-i", str(hosts), "-e", json.dumps(told)]
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "ANSIBLE_LOCAL_TEMP": str(folder / "ansible"),
            "ANSIBLE_REMOTE_TEMP": str(server.folder / "home/ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }

    def __call__(self, play: Path, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._words, *more, str(play)],
            env=self._environment, capture_output=True, text=True, check=False,
        )  # fmt: skip


def counts(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return what the recap says of the host."""
    line = next(line for line in done.stdout.splitlines() if line.startswith("one "))
    words = (word.partition("=") for word in line.partition(":")[2].split())
    return {name: int(value) for name, _, value in words}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(os.geteuid() != 0, reason="logs in as root on loopback")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the profile is x86-64")
def test_the_playbook_installs_and_rolls_back(server: LoopbackServer, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    try:
        collect_wheels(wheel_set(load_board("x86-64"), None, server.python), wheels)
    except BoardError as error:
        if NO_INDEX.search(str(error)):
            pytest.skip(f"no wheels here: {error}")
        raise
    pair, root, play = new_pair(tmp_path), server.place() / "root", tmp_path / "play"
    shutil.copy(bundle_path("kathleen-nano"), tmp_path / "nano.evc")
    bundle = pair.sign(tmp_path / "nano.evc")
    words = ("--board", "x86-64", "--wheels", str(wheels), "--trust", str(pair.public))

    def write(path: Path, *more: str) -> None:
        done = flash(str(path), "--ansible", str(play), *words, *more)
        assert done.exit_code == 0, done.stderr

    ansible = Playing(server, tmp_path, root)
    write(bundle)
    checked = ansible(play / "install.yml", "--check")
    assert not root.exists(), checked.stdout
    done = ansible(play / "install.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (root / "current/bundle.evc").read_bytes() == bundle.read_bytes()
    release = (root / "current").readlink().name
    signers = server.folder / "home/.config/edge-vc/allowed_signers"
    assert "ci@example.com" in signers.read_text()

    again = ansible(play / "install.yml")
    assert again.returncode == 0, again.stdout + again.stderr
    assert counts(again)["changed"] == 0, again.stdout

    write(shipped_as(tmp_path / "bad.evc", "9.0", pair, gain=0.5))
    failed = ansible(play / "install.yml")
    assert failed.returncode != 0
    assert "golden recording" in failed.stdout
    assert check_whole(server, root, {release}) == release

    write(shipped_as(tmp_path / "later.evc", "9.1", pair))
    done = ansible(play / "install.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (root / "current").readlink().name != release
    done = ansible(play / "rollback.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (root / "current").readlink().name == release
    assert events(root)[-1][0] == "rollback"

    _sets_sound_cards_up(server, ansible, play, write, bundle)
    tool = server.tool("uname", "echo riscv64")
    refused = ansible(play / "install.yml")
    tool.unlink()
    assert refused.returncode != 0
    assert "its processor is riscv64, the wheels are for x86_64" in refused.stdout

    done = ansible(play / "uninstall.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not root.exists()
    assert not RULES.exists()


def _sets_sound_cards_up(
    server: LoopbackServer, ansible: Playing, play: Path, write: Callable[..., None], bundle: Path
) -> None:
    """Name a USB card, twice; udev's own command is a stand-in, and uninstalling takes it out."""
    if RULES.exists():
        pytest.skip("this machine has such a rule itself")
    server.tool("udevadm", "exit 0")
    write(bundle, "--configure-audio", "usb:0d8c:0014=Mic")
    done = ansible(play / "install.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'ATTR{id}="Mic"' in RULES.read_text()
    assert counts(ansible(play / "install.yml"))["changed"] == 0
