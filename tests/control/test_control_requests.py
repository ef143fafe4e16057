"""Parameters as data, requests on the socket, keys: good ones and hostile ones."""

from __future__ import annotations

import json

import pytest

from edge_vc_runtime.chain.error import ChainError
from edge_vc_runtime.chain.parameters import DECLARED, Parameters
from edge_vc_runtime.control.key_control import HELP, KEYS, KeyControl
from edge_vc_runtime.control.requests import LONGEST_LINE, ControlRequests


@pytest.fixture
def parameters() -> Parameters:
    return Parameters()


def ask(parameters: Parameters, line: bytes | object) -> dict[str, object]:
    if not isinstance(line, bytes):
        line = json.dumps(line).encode()
    answer = ControlRequests(parameters, lambda: {"state": "running"}).answer(line)
    assert answer.count(b"\n") == 1
    assert answer.endswith(b"\n")
    return json.loads(answer)


@pytest.mark.parametrize(
    ("name", "value", "fact"),
    [
        ("pitch", 13, "pitch is 13; expected a number from -12 to 12 semitones"),
        ("pitch", float("nan"), "pitch: expected a number from -12 to 12 semitones, got nan"),
        ("pitch", "1e999", "got '1e999'"),
        ("pitch", 10**400, "got 1000"),
        ("pitch", "high", "got 'high'"),
        ("pitch", True, "got True"),
        ("pitch", None, "got NoneType"),
        ("pitch", [1], "got list"),
        ("gate", 0.5, "gate is 0.5; expected on or off"),
        ("gate", "maybe", "gate: expected on or off, got 'maybe'"),
        ("pich", 1, "no parameter 'pich'; did you mean pitch?"),
        ("\x1b[2J", 1, "no parameter '\\x1b[2J'; one of noise_reduction"),
    ],
)
def test_a_bad_value_is_one_line(
    parameters: Parameters, name: str, value: object, fact: str
) -> None:
    before = parameters.as_dict()
    with pytest.raises(ChainError) as caught:
        parameters.set(name, value)
    message = str(caught.value)
    assert fact in message
    assert "\n" not in message
    assert message.isprintable()
    assert parameters.as_dict() == before


def test_what_is_declared_holds_for_itself() -> None:
    for parameter in DECLARED:
        assert parameter.low <= parameter.default <= parameter.high
        assert parameter.check(parameter.default) == parameter.default
        assert parameter.step > 0
        assert parameter.help
        if parameter.live_default is not None:
            assert parameter.check(parameter.live_default) == parameter.live_default
    with pytest.raises(ChainError):
        Parameters({"pitch": 99})


def test_changes_stop_at_the_limits_and_switches_change_sides(parameters: Parameters) -> None:
    assert [parameters.change("pitch", 5) for _ in range(3)] == [5, 10, 12]
    assert parameters.change("pitch", -30) == -12
    assert [parameters.change("gate", -1) for _ in range(2)] == [1, 0]


def test_requests(parameters: Parameters) -> None:
    assert ask(parameters, {"set": {"pitch": 2, "level-follow": "on"}}) == {
        "ok": True,
        "values": {"pitch": 2.0, "level_follow": 1.0},
    }
    assert ask(parameters, {"get": "pitch"}) == {"ok": True, "values": {"pitch": 2.0}}
    assert ask(parameters, {"get": None})["values"] == parameters.as_dict()
    assert ask(parameters, {"status": True}) == {"ok": True, "status": {"state": "running"}}
    described = ask(parameters, {"describe": True})["parameters"]
    assert [entry["name"] for entry in described] == [p.name for p in DECLARED]


HOSTILE = [
    b"", b"\n", b"null", b"[]", b"1", b'"x"', b"{}", b"{", b"\xff\xfe", b"\x00", b"NaN",
    b'{"set": 1}', b'{"set": {}}', b'{"set": {"pitch": NaN}}', b'{"set": {"pitch": 1e999}}',
    b'{"set": {"pitch": {}}}', b'{"set": {"": 1}}', b'{"get": 3}', b'{"get": ["pitch"]}',
    b'{"get": "pitch", "set": {"pitch": 1}}', b'{"exec": "rm -rf /"}',
    b"[" * 4000, b'{"a":' * 700 + b"1", b'{"set": {"pitch": ' + b"9" * 4000 + b"}}",
    b"x" * (LONGEST_LINE + 1), b'{"set": {"pitch": 3, "gain": 99}}',
    '{"set": {"p\u202eitch": 1}}'.encode(), b'{"get": "\\ud800"}',
]  # fmt: skip


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: repr(line[:24]))
def test_hostile_requests_get_one_line_and_change_nothing(
    parameters: Parameters, line: bytes
) -> None:
    before = parameters.as_dict()
    answer = ask(parameters, line)
    assert set(answer) == {"error"}
    assert str(answer["error"]).isprintable()
    assert len(str(answer["error"])) < 300
    assert parameters.as_dict() == before


def test_keys(parameters: Parameters) -> None:
    said: list[str] = []
    ended: list[bool] = []
    keys = KeyControl(parameters, said.append, lambda: ended.append(True), descriptor=-1)
    assert not keys.available
    for key in "]]b-M?x\x00}{":
        keys.press(key)
    assert said == [
        "pitch 1 semitones", "pitch 2 semitones", "bypass on", "gain -1 dB", "mix 90 %", HELP,
        *["this bundle has no input pitch"] * 2,
    ]  # fmt: skip
    keys.press("q")
    assert ended == [True]
    for name, _ in KEYS.values():
        assert name in parameters.declared or name.startswith("model_")
