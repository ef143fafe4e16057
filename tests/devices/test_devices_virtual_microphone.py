"""The virtual microphone, against a made-up pactl that keeps its modules in a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_vc_runtime.devices import DeviceBusyError, DeviceError, VirtualMicrophone

PACTL = """#!/bin/sh
# A sound server's modules: one line each, as `pactl list short modules` prints them.
modules=$STATE/modules
touch "$modules"
case "$1 $2" in
  "load-module "*)
    case "$*" in *"${REFUSE:-nothing}"*)
      echo "Failure: Module initialization failed" >&2; exit 1;; esac
    number=$(($(cat "$STATE/next" 2>/dev/null || echo 20) + 1)); echo $number >"$STATE/next"
    shift; name=$1; shift
    printf '%s\\t%s\\t%s\\n' "$number" "$name" "$*" >>"$modules"; echo $number;;
  "unload-module "*)
    grep -v "^$2	" "$modules" >"$modules.new"; mv "$modules.new" "$modules"
    echo "$2" >>"$STATE/unloaded";;
  "list short") case $3 in
    modules) cat "$modules";;
    sources) printf '0\\tbuilt-in.monitor\\tx\\n1\\tMicrophone\\tx\\n';; esac;;
esac
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "pactl"
    program.parent.mkdir()
    program.write_text(PACTL)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("STATE", str(tmp_path))
    monkeypatch.delenv("ALSA_CONFIG_PATH", raising=False)
    monkeypatch.delenv("PULSE_SERVER", raising=False)
    return tmp_path


def modules(state: Path) -> list[list[str]]:
    return [line.split("\t") for line in (state / "modules").read_text().splitlines()]


def test_it_is_there_while_the_block_runs(state: Path) -> None:
    with VirtualMicrophone("Kathleen") as microphone:
        sink, source = modules(state)
        assert sink[1] == "module-null-sink"
        assert f"sink_name=edge_vc_Kathleen.{os.getpid()} " in sink[2]
        assert source[1] == "module-remap-source"
        assert f"source_name=Kathleen master=edge_vc_Kathleen.{os.getpid()}.monitor " in source[2]
        assert microphone.output == "edge_vc_Kathleen"
        system, _, own = os.environ["ALSA_CONFIG_PATH"].partition(":")
        assert system == "/usr/share/alsa/alsa.conf"
        assert Path(own).read_text() == (
            f'pcm.edge_vc_Kathleen {{ type pulse\n  device "edge_vc_Kathleen.{os.getpid()}" }}\n'
        )
    assert modules(state) == []
    assert (state / "unloaded").read_text().split() == ["22", "21"], "the source goes first"
    assert "ALSA_CONFIG_PATH" not in os.environ
    assert not Path(own).exists()
    microphone.close()


def test_an_own_alsa_configuration_is_kept(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALSA_CONFIG_PATH", "/etc/mine.conf")
    with VirtualMicrophone("Kathleen"):
        assert os.environ["ALSA_CONFIG_PATH"].startswith("/etc/mine.conf:/")
    assert os.environ["ALSA_CONFIG_PATH"] == "/etc/mine.conf"


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit, ValueError])
def test_nothing_is_left_however_the_block_ends(state: Path, ending: type[BaseException]) -> None:
    with pytest.raises(ending), VirtualMicrophone("Kathleen"):
        raise ending
    assert modules(state) == []


def test_a_sink_is_not_left_when_the_source_fails(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUSE", "module-remap-source")
    with (
        pytest.raises(DeviceError, match="no virtual microphone: Failure: Module initialization"),
        VirtualMicrophone("Kathleen"),
    ):
        pytest.fail("it was entered")
    assert modules(state) == []


def test_a_server_that_knows_no_rewinds(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with VirtualMicrophone("Kathleen"):
        assert modules(state)[0][2].endswith(" norewinds=1")
    monkeypatch.setenv("REFUSE", "norewinds")
    with VirtualMicrophone("Kathleen"):
        assert "norewinds" not in modules(state)[0][2]


def test_what_a_killed_run_left_is_replaced(state: Path) -> None:
    (state / "modules").write_text(
        "5\tmodule-null-sink\tsink_name=edge_vc_Kathleen.4194399 rate=48000\t\n"
        "6\tmodule-remap-source\tsource_name=Kathleen master=edge_vc_Kathleen.4194399.monitor x\n"
        "7\tmodule-null-sink\tsink_name=edge_vc_Kathleen2.4194399\n"
        "8\tmodule-null-sink\tsink_name=speaker\n"
        "x\tmodule-null-sink\tsink_name=edge_vc_Kathleen.4194399\n"
    )
    with VirtualMicrophone("Kathleen", state):
        assert [row[0] for row in modules(state)] == ["7", "8", "x", "21", "22"]
    assert (state / "unloaded").read_text().split()[:2] == ["6", "5"]


def test_the_alsa_configuration_of_a_killed_run_goes(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(state))
    (state / "proc/77").mkdir(parents=True)
    (state / "proc/77/comm").write_text("python3\n")
    killed, alive, other = (
        state / f"edge-vc-{name}.conf" for name in ("mic-4194399-a_b1", "mic-77-abc", "mine")
    )
    for file in (killed, alive, other):
        file.touch()
    with VirtualMicrophone("Kathleen", state):
        assert not killed.exists()
        assert sorted(state.glob("edge-vc-mic-*.conf"))[0].name.startswith("edge-vc-mic-")
        assert len(list(state.glob("edge-vc-mic-*.conf"))) == 2
    assert sorted(state.glob("*.conf")) == sorted([alive, other])


def test_what_a_living_process_offers_is_not_touched(state: Path) -> None:
    (state / "modules").write_text("5\tmodule-null-sink\tsink_name=edge_vc_Kathleen.77\n")
    (state / "proc/77").mkdir(parents=True)
    (state / "proc/77/comm").write_text("python3\n")
    with (
        pytest.raises(DeviceBusyError, match="process 77 offers a microphone 'Kathleen' already"),
        VirtualMicrophone("Kathleen", state),
    ):
        pytest.fail("it was entered")
    assert not (state / "unloaded").exists()


def test_the_name_of_another_source_is_taken(state: Path) -> None:
    with (
        pytest.raises(DeviceBusyError, match="there is a microphone 'Microphone' already"),
        VirtualMicrophone("Microphone"),
    ):
        pytest.fail("it was entered")


@pytest.mark.parametrize(
    "name", ["", "a b", "-x", "1mic", "a\n", "a;b", "a'b", "../x", "ü", "x" * 41, "a=b", "a}"]
)
def test_names_are_letters_digits_and_dashes(name: str) -> None:
    with pytest.raises(DeviceError, match="a microphone cannot be called"):
        VirtualMicrophone(name)


def test_without_pactl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(DeviceError, match="needs pactl, which is not installed: apt install pulse"),
        VirtualMicrophone("Kathleen"),
    ):
        pytest.fail("it was entered")


def test_without_a_server(state: Path) -> None:
    program = state / "bin" / "pactl"
    program.write_text("#!/bin/sh\necho 'Connection failure: Connection refused' >&2\nexit 1\n")
    with (
        pytest.raises(DeviceError, match="no virtual microphone: .*(no sound server|does not an)"),
        VirtualMicrophone("Kathleen"),
    ):
        pytest.fail("it was entered")
