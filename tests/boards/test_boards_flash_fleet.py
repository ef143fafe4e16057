"""Fleets: the inventory, the order, what stops it, the table."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from boards_flash import flash

from edge_vc_boards.flash.error import FlashCheckError, FlashError
from edge_vc_boards.flash.fleet import HostOutcome, flash_fleet, fleet_code, fleet_table
from edge_vc_boards.flash.inventory import InventoryHost, read_inventory
from edge_vc_boards.flash.request import FlashResult
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

    def one(host: InventoryHost) -> FlashResult:
        nonlocal running, most
        with lock:
            running, most = running + 1, max(most, running + 1)
            order.append((host.name, running))
        if host.name in ("b", "c"):
            together.wait()
        with lock:
            running -= 1
        return FlashResult("r", host.name != "d", "", "running", 1.0)

    outcomes = flash_fleet(HOSTS, one, parallel=2)
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
    def one(host: InventoryHost) -> FlashResult:
        if host.name == at:
            raise error
        return FlashResult("r", True, "", "running", 1.0)

    outcomes = flash_fleet(HOSTS, one, parallel=1)
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


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has to hold"),
        ("x = 1\n" + TABLES, "has to hold"),
        ("[hosts.a]\n", "--to ''"),
        ('[hosts.a]\nto = "-oProxyCommand=x"\n', "--to"),
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
    assert flash("--inventory", str(path), "--list").exit_code == 2
