"""A fleet of three real SSH servers on loopback: canary, limit, stop at a failure, the table."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from boards_flash import flash, new_pair, shipped_as
from boards_served import check_whole
from boards_sshd import LoopbackServer
from runtime_installs import NO_INDEX
from typer.testing import Result

from edge_vc_boards.board import BoardError
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.collect import collect_wheels
from edge_vc_boards.wheels.requirements import wheel_set

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.geteuid() != 0, reason="logs in as root on loopback"),
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the profile is x86-64"),
]
NAMES = ("a", "b", "c")
ROOT = Path("edge-vc")
"""In the home folder of each server."""


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[dict[str, LoopbackServer]]:
    made: dict[str, LoopbackServer] = {}
    for name in NAMES:
        (tmp_path / name).mkdir()
        made[name] = LoopbackServer(tmp_path / name)
    yield made
    for server in made.values():
        server.close()


def known(servers: dict[str, LoopbackServer], folder: Path) -> list[str]:
    """Return options by which the host keys of all servers are known."""
    path = folder / "known"
    path.write_text("".join((each.folder / "known").read_text() for each in servers.values()))
    return ["--ssh-option", f"UserKnownHostsFile={path}", "--ssh-option", "IdentitiesOnly=yes"]


def toml(servers: dict[str, LoopbackServer], path: Path) -> Path:
    tables = [
        f'[hosts.{name}]\nto = "root@127.0.0.1"\nport = {each.port}\n'
        f'identity = "{each.folder / "id"}"\ngroups = ["{"spare" if name == "a" else "kitchen"}"]\n'
        for name, each in servers.items()
    ]
    path.write_text("".join(tables))
    return path


def yaml(servers: dict[str, LoopbackServer], path: Path) -> Path:
    hosts = {
        name: {
            "ansible_host": "127.0.0.1",
            "ansible_user": "root",
            "ansible_port": each.port,
            "ansible_ssh_private_key_file": str(each.folder / "id"),
        }
        for name, each in servers.items()
    }
    kitchen = {name: hosts[name] for name in NAMES[1:]}
    groups = {"spare": {"hosts": {"a": hosts["a"]}}, "kitchen": {"hosts": kitchen}}
    path.write_text(json.dumps({"all": {"children": groups}}))
    return path


def rows(done: Result) -> dict[str, tuple[str, str]]:
    """Return state and last column of each board in the table."""
    lines = [re.split(r"\s{2,}", line) for line in done.stdout.splitlines()[1:]]
    return {line[0]: (line[1], line[-1]) for line in lines}


def states(done: Result) -> list[str]:
    found = rows(done)
    return [found[name][0] for name in NAMES if name in found]


def test_three_boards(servers: dict[str, LoopbackServer], tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    try:
        collect_wheels(wheel_set(load_board("x86-64"), None, servers["a"].python), wheels)
    except BoardError as error:
        if NO_INDEX.search(str(error)):
            pytest.skip(f"no wheels here: {error}")
        raise
    pair = new_pair(tmp_path)
    options = known(servers, tmp_path)
    rest = [*options, "--root", str(ROOT), "--parallel", "2"]
    fleet = ["--inventory", str(toml(servers, tmp_path / "boards.toml")), *rest]
    ansible = ["--inventory", str(yaml(servers, tmp_path / "hosts.yml")), *rest]
    words = ["--wheels", str(wheels), "--trust", str(pair.public)]
    roots = {name: each.folder / "home" / ROOT for name, each in servers.items()}

    first = flash(str(shipped_as(tmp_path / "one.evc", "9.0", pair)), *fleet, *words)
    assert first.exit_code == 0, first.stdout + first.stderr
    assert states(first) == ["changed"] * 3
    release = (roots["a"] / "current").readlink().name
    assert {detail for _, detail in rows(first).values()} == {release}
    again = flash(str(tmp_path / "one.evc"), *ansible, *words)
    assert states(again) == ["unchanged"] * 3, again.stdout

    bad = flash(str(shipped_as(tmp_path / "bad.evc", "9.1", pair, gain=0.5)), *fleet, *words)
    assert bad.exit_code == 1
    assert states(bad) == ["failed", "not tried", "not tried"]
    assert "golden recording" in bad.stdout.splitlines()[1]
    for name in NAMES:
        assert check_whole(servers[name], roots[name], {release}) == release
    assert not (roots["b"] / "incoming").exists()  # nothing was sent there

    two = str(shipped_as(tmp_path / "two.evc", "9.2", pair))
    some = flash(two, *ansible, *words, "--group", "kitchen")
    assert some.exit_code == 0, some.stdout
    assert set(rows(some)) == {"b", "c"}
    assert (roots["a"] / "current").readlink().name == release

    servers["b"].close()
    away = flash(two, *fleet, *words)
    assert away.exit_code == 2
    assert states(away) == ["changed", "refused", "unchanged"]
    back = flash(*fleet, "--rollback", "--group", "spare")
    assert rows(back)["a"] == ("changed", release)
    listed = flash(*fleet, "--list")
    assert states(listed) == ["installed", "refused", "installed"]
    gone = flash(*ansible, "--uninstall", "--group", "spare")
    assert states(gone) == ["removed"]
    assert not roots["a"].exists()
