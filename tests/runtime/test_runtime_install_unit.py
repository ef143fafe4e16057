"""The unit holds what keeps the service running and what keeps it in bounds."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from edge_vc_runtime.cli import main
from edge_vc_runtime.install.error import InstallError
from edge_vc_runtime.install.unit import ServiceUnit, quoted


class Unit(configparser.RawConfigParser):
    """Keys keep their case; a repeated key keeps its last value."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def parsed(text: str) -> configparser.RawConfigParser:
    unit = Unit(strict=False, interpolation=None)
    unit.read_string(text)
    return unit


def test_the_unit_restarts_and_limits_the_service() -> None:
    service = parsed(ServiceUnit().text())["Service"]
    wanted = {
        "Restart": "always",
        "LimitRTPRIO": "49",
        "LimitMEMLOCK": "512M",
        "SupplementaryGroups": "audio",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "User": "edge-vc",
        "RemoveIPC": "yes",
        "CapabilityBoundingSet": "",
    }
    assert {key: service[key] for key in wanted} == wanted
    assert "DynamicUser" not in service  # without libnss-systemd it could check no signature
    assert service["ExecStart"] == (
        "/opt/edge-vc/venv/bin/edge-vc-rt run /opt/edge-vc/current/bundle.evc"
    )
    unit = parsed(ServiceUnit().text())
    assert unit["Unit"]["ConditionPathExists"] == "/opt/edge-vc/current/bundle.evc"
    assert unit["Install"]["WantedBy"] == "multi-user.target"


def test_arguments_reach_the_service_as_they_are() -> None:
    text = ServiceUnit(
        user="voice", arguments=("--input", "plughw:CARD=Mic,DEV=0", "50% $x")
    ).text()
    service = parsed(text)["Service"]
    assert service["ExecStart"].endswith(' --input plughw:CARD=Mic,DEV=0 "50%% $$x"')
    assert service["User"] == "voice"
    assert quoted('a"b\\') == '"a\\"b\\\\"'


@pytest.mark.parametrize(
    "unit",
    [
        ServiceUnit(user="a b"),
        ServiceUnit(user="x\nExecStartPre=/bin/sh"),
        ServiceUnit(root=Path("/opt/a b")),
        ServiceUnit(root=Path("relative")),
        ServiceUnit(program=Path("/x;y")),
        ServiceUnit(arguments=("a\nb",)),
        ServiceUnit(rt_priority=50),
    ],
)
def test_nothing_can_be_smuggled_in(unit: ServiceUnit) -> None:
    with pytest.raises(InstallError):
        unit.text()


def test_the_verb_prints_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["unit", "--root", "/srv/vc", "--", "--input", "hw:1"]) == 0
    text = capsys.readouterr().out
    assert parsed(text)["Service"]["ExecStart"].endswith("/srv/vc/current/bundle.evc --input hw:1")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--wrong"], "unrecognized arguments: --wrong"),
        (["--gate-lookahead"], "argument --gate-lookahead: expected one argument"),
        (["other.evc"], "'other.evc' is an IN without an OUT"),
        (["--help"], "a service needs no help"),
    ],
)
def test_what_run_would_not_take_is_no_service(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["unit", "--", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("edge-vc-rt unit: error: arguments after --: ")
    assert told in err
    assert len(err.splitlines()) == 1


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze: apt install systemd")
    command = ["systemd-analyze", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_systemd_takes_every_line_of_it(tmp_path: Path) -> None:
    file = tmp_path / "edge-vc.service"
    arguments = ("--input", "plughw:CARD=Mic,DEV=0", "50% $x")
    file.write_text(ServiceUnit(program=Path("/bin/true"), arguments=arguments).text())
    done = analyze("verify", str(file))
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    file.write_text(file.read_text().replace("RestartSec=2", "RestartSeconds=2"))
    assert "RestartSeconds" in analyze("verify", str(file)).stderr


def test_systemd_finds_it_little_exposed(tmp_path: Path) -> None:
    """On its scale from 0 to 10; a unit without hardening is at 9.6."""
    file = tmp_path / "edge-vc.service"
    file.write_text(ServiceUnit().text())
    done = analyze("security", "--offline=true", "--threshold=40", str(file))
    if "unrecognized option" in done.stderr:
        pytest.skip("its systemd cannot judge a file: 250 or later is needed")
    assert done.returncode == 0, done.stdout[-200:]
    assert "exposure level" in done.stdout
