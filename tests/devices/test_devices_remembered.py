"""The chosen devices, in a file that anybody may have written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_vc_runtime.devices.error import DeviceError
from edge_vc_runtime.devices.remembered import (
    forget_devices,
    remember_device,
    remembered_devices,
    remembered_path,
)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path)}


def test_what_is_kept_comes_back(home: dict[str, str]) -> None:
    assert remembered_devices(home) == {}
    place = remember_device("input", "plughw:CARD=Device,DEV=0", home)
    remember_device("output", "Küche (links)", home)
    assert remembered_devices(home) == {
        "input": "plughw:CARD=Device,DEV=0", "output": "Küche (links)",
    }  # fmt: skip
    remember_device("input", "default", home)
    assert remembered_devices(home)["input"] == "default"
    assert remembered_devices(home)["output"] == "Küche (links)"
    assert place == remembered_path(home)
    assert [path.name for path in place.parent.iterdir()] == ["devices.json"], "no partial file"
    forget_devices(home)
    forget_devices(home)
    assert remembered_devices(home) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\xff\xfe", b"null", b"[]", b'{"input": 3}', b'{"input": ["a"]}', b"{" * 100_000,
        b'{"input": ""}', b'{"input": "a\\u001b[31m"}', b'{"input": "a\\u2028b"}',
        b'{"input": "' + b"x" * 300 + b'"}', b'{"input": "a", "input": "b"}',
        b" " * 70_000 + b'{"input": "a"}',
    ],
)  # fmt: skip
def test_hostile_content_counts_as_none(home: dict[str, str], content: bytes) -> None:
    place = remembered_path(home)
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    assert remembered_devices(home) == {}
    remember_device("output", "default", home)
    assert remembered_devices(home) == {"output": "default"}


def test_one_bad_direction_does_not_take_the_other_along(home: dict[str, str]) -> None:
    remember_device("input", "default", home)
    place = remembered_path(home)
    place.write_text(json.dumps({"input": "default", "output": 7, "other": {}}))
    assert remembered_devices(home) == {"input": "default"}


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "edge-vc").write_text("a file where a folder belongs")
    with pytest.raises(DeviceError, match=r"edge-vc/devices\.json: .*; set XDG_CONFIG_HOME"):
        remember_device("input", "default", {"XDG_CONFIG_HOME": str(tmp_path)})
