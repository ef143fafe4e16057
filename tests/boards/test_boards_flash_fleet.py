"""Fleets: the inventory, the order, what stops it, the table."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from boards_flash import flash, small_wheels
from runtime_installs_disk import mini_version

from edge_vc_boards.flash.error import FlashCheckError, FlashError
from edge_vc_boards.flash.fleet import HostOutcome, HostState, fleet_code, fleet_table, run_fleet
from edge_vc_boards.flash.inventory import read_inventory
from edge_vc_boards.flash.inventory_host import InventoryHost
from edge_vc_boards.testing import FakeBoard, FakeBoardFacts

HOSTS = [InventoryHost(name, f"pi@{name}") for name in ("a", "b", "c", "d")]
TABLES = """
[hosts.left]
to = "pi@10.0.0.7"
groups = ["kitchen"]
[hosts.right]
to = "pi@10.0.0.8"
groups = ["kitchen", "spare"]
port = 2222
run = ["--input", "x y"]
"""


def states(outcomes: list[HostOutcome]) -> list[str]:
    return [outcome.state for outcome in outcomes]


def test_the_first_goes_alone_and_the_others_up_to_the_limit() -> None:
    lock, running, most, order = threading.Lock(), 0, 0, []
    together = threading.Barrier(2, timeout=20)

    def one(host: InventoryHost) -> tuple[HostState, str]:
        nonlocal running, most
        with lock:
            running, most = running + 1, max(most, running + 1)
            order.append((host.name, running))
        if host.name in ("b", "c"):
            together.wait()
        with lock:
            running -= 1
        return "changed" if host.name != "d" else "unchanged", "r"

    outcomes = run_fleet(HOSTS, one, parallel=2)
    assert states(outcomes) == ["changed", "changed", "changed", "unchanged"]
    assert order[0] == ("a", 1)
    assert most == 2
    assert fleet_code(outcomes) == 0


@pytest.mark.parametrize(
    ("error", "at", "expected", "code"),
    [
        (FlashCheckError("bad"), "a", ["failed", "not tried", "not tried", "not tried"], 1),
        (FlashError("gone"), "a", ["refused", "not tried", "not tried", "not tried"], 2),
        (FlashCheckError("bad"), "b", ["changed", "failed", "not tried", "not tried"], 1),
        (FlashError("gone"), "b", ["changed", "refused", "changed", "changed"], 2),
    ],
    ids=["canary fails", "canary refused", "second fails", "second refused"],
)
def test_a_failure_stops_the_fleet(
    error: FlashError, at: str, expected: list[str], code: int
) -> None:
    def one(host: InventoryHost) -> tuple[HostState, str]:
        if host.name == at:
            raise error
        return "changed", "r"

    outcomes = run_fleet(HOSTS, one, parallel=1)
    assert states(outcomes) == expected
    assert fleet_code(outcomes) == code
    assert fleet_table(outcomes)[HOSTS.index(InventoryHost(at, f"pi@{at}")) + 1].endswith(
        str(error)
    )


def test_an_inventory_is_read_by_group(tmp_path: Path) -> None:
    path = tmp_path / "boards.toml"
    path.write_text(TABLES)
    left, right = read_inventory(path)
    assert (left.to, left.groups, left.port) == ("pi@10.0.0.7", ("kitchen",), None)
    assert (right.port, right.run) == (2222, ("--input", "x y"))
    assert read_inventory(path, ("spare",)) == (right,)
    with pytest.raises(FlashError, match="no group 'attic', known are kitchen, spare"):
        read_inventory(path, ("attic",))


def test_a_board_is_not_flashed_under_two_names_at_once(tmp_path: Path) -> None:
    path = tmp_path / "boards.toml"
    path.write_text(TABLES + '[hosts.again]\nto = "pi@10.0.0.7"\ngroups = ["attic"]\n')
    with pytest.raises(FlashError, match="left and again are the same board"):
        read_inventory(path)
    assert [host.name for host in read_inventory(path, ("attic",))] == ["again"]
    path.with_suffix(".yml").write_text("all: {hosts: {a: {ansible_host: x}, x: }}\n")
    with pytest.raises(FlashError, match="a and x are the same board"):
        read_inventory(path.with_suffix(".yml"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has to hold"),
        ("x = 1\n" + TABLES, "has to hold"),
        ("[hosts.a]\n", "a: '': has to be USER@HOST"),
        ('[hosts.a]\nto = "-oProxyCommand=x"\n', "has to be USER@HOST"),
        ('[hosts.a]\nto = "pi@x"\nuser = "y"\n', "no such key"),
        ('[hosts.a]\nto = "pi@x"\nport = 70000\n', "expected 1 to 65535"),
        ('[hosts.a]\nto = "pi@x"\ngroups = "y"\n', "list of strings"),
        ("[hosts.a]\nto = 5\n", "printable string"),
        ("[hosts", "boards.toml: "),
        ("a = " + "[" * 5000, "boards.toml: "),
    ],
)
def test_a_wrong_inventory_is_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "boards.toml"
    path.write_text(text)
    with pytest.raises(FlashError) as caught:
        read_inventory(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value).strip()


def test_the_verb_flashes_an_inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = FakeBoard(tmp_path / "board", FakeBoardFacts(bits=32))
    monkeypatch.setenv("PATH", board.path())
    path = tmp_path / "boards.toml"
    path.write_text(TABLES)
    done = flash("kathleen-nano", "--inventory", str(path), "--allow-unsigned")
    assert done.exit_code == 2
    left, right = done.stdout.splitlines()[1:]
    assert left.startswith("left   refused")
    assert "32-bit" in left
    assert right.startswith("right  not tried")
    assert len(board.commands()) == 1
    assert flash("kathleen-nano").exit_code == 2


def test_a_fleet_is_listed_taken_back_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All boards are one fake here: what changes on the first has changed for the second."""
    board = FakeBoard(tmp_path / "board")
    monkeypatch.setenv("PATH", board.path())
    path = tmp_path / "boards.toml"
    path.write_text(TABLES)
    fleet = ("--inventory", str(path), "--parallel", "1")

    shown = flash(*fleet, "--list")
    assert shown.exit_code == 0
    assert [line.split()[1] for line in shown.stdout.splitlines()[1:]] == ["empty", "empty"]
    back = flash(*fleet, "--rollback")
    assert back.exit_code == 2
    assert "nothing is installed in /opt/edge-vc" in back.stdout
    assert back.stdout.splitlines()[2].startswith("right  not tried")

    wheels = small_wheels(tmp_path / "wheels")
    for version in ("1.0", "1.1"):
        bundle = mini_version(tmp_path / f"{version}.evc", version)
        options = ("--wheels", str(wheels), "--allow-unsigned", "--to", "pi@fake")
        assert flash(str(bundle), *options).exit_code == 0
    shown = flash(*fleet, "--list")
    assert shown.exit_code == 0
    assert "left   installed" in shown.stdout
    assert shown.stdout.count("mini-1.1-") == 2
    assert shown.stdout.count("service: active") == 2
    tried = len(board.commands())
    dry = flash(*fleet, "--rollback", "--dry-run")
    assert dry.exit_code == 0
    assert "edge-vc-rollback" in dry.stdout
    assert all("rollback" not in line for line in board.commands()[tried:])
    back = flash(*fleet, "--rollback")  # twice on the one fake: there and back
    assert back.exit_code == 0, back.stdout
    assert "mini-1.0-" in back.stdout.splitlines()[1]
    assert "mini-1.1-" in back.stdout.splitlines()[2]

    board.fail("ssh: connect to host fake port 22: Connection timed out")
    away = flash(*fleet, "--list")
    assert away.exit_code == 2
    assert [line.split()[1] for line in away.stdout.splitlines()[1:]] == ["refused", "refused"]
    board.answer()
    gone = flash(*fleet, "--uninstall")
    assert gone.exit_code == 0
    assert [line.split()[1] for line in gone.stdout.splitlines()[1:]] == ["removed", "empty"]
    assert not board.file("/opt/edge-vc").exists()


ANSIBLE = """
all:
  vars:
    ansible_user: pi
    rack: 3
  hosts:
    spare: {ansible_host: 10.0.0.9}
  children:
    kitchen:
      vars: {ansible_port: 2222, edge_vc_board: pi4}
      hosts:
        left:
          ansible_host: 10.0.0.7
          ansible_ssh_private_key_file: ~/keys/left
        right:
          ansible_host: 10.0.0.8
          ansible_port: "22"
          edge_vc_run: [--input, x y]
    quiet:
      children:
        kitchen:
      hosts:
        board4.lan: {ansible_user: ann}
"""


def test_an_inventory_of_ansible_is_read(tmp_path: Path) -> None:
    path, said = tmp_path / "hosts.yml", []
    path.write_text(ANSIBLE)
    hosts = {host.name: host for host in read_inventory(path, (), said.append)}
    assert list(hosts) == ["left", "right", "board4.lan", "spare"]
    assert (hosts["left"].to, hosts["left"].port) == ("pi@10.0.0.7", 2222)
    assert hosts["left"].identity == Path.home() / "keys/left"
    assert hosts["left"].groups == ("all", "kitchen")
    assert (hosts["right"].port, hosts["right"].board) == (22, "pi4")
    assert hosts["right"].run == ("--input", "x y")
    assert hosts["board4.lan"].to == "ann@board4.lan"
    assert said == ["note: variables without meaning here: rack"]
    assert [host.name for host in read_inventory(path, ("quiet",))] == ["board4.lan"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no hosts"),
        ("- a", "expected a mapping"),
        ("all: {host: {a: }}", "'host' is not part of a group, known are hosts, children, vars"),
        ("all: {hosts: {'www[01:50]': }}", "host 'www[01:50]'"),
        ("all: {hosts: {a: {ansible_become_user: x}}}", "a.ansible_become_user: is not known"),
        ("all: {hosts: {a: {ansible_connection: local}}}", "by ssh only"),
        ("all: {hosts: {a: {ansible_host: '{{ x }}'}}}", "templates are not filled in"),
        ("all: {hosts: {a: {ansible_host: -oProxyCommand=x}}}", "has to be USER@HOST"),
        ("all: {hosts: {a: {ansible_port: 70000}}}", "expected 1 to 65535"),
        ("all: {hosts: {a: {edge_vc_run: x}}}", "list of strings"),
        ("all: {hosts: {a: , a: }}", "'a' is there twice"),
        ("all: {hosts: {a: !!python/object/apply:os.system [x]}}", "is not a plain value"),
        ("all: [", "is not YAML"),
        ("all: " + "[" * 5000, "is not YAML"),
        ("a: &a [" + "1," * 99 + "]\n" + "".join(
            f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)},' * 99}]\n" for n in range(5)),
         "holds more than 200000 values"),
        ("all: &x\n  children: {y: *x}", "hosts.yml: "),
        ("x" * (1 << 20) + "y", "larger than 1 MiB"),
    ],
)  # fmt: skip
def test_a_wrong_inventory_of_ansible_is_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text(text)
    with pytest.raises(FlashError) as caught:
        read_inventory(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 400
