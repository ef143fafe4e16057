"""`edge-vc flash` on a fake board: what is refused, what is done, what is left alone."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from boards_flash import SigningPair, events, flash, new_pair, small_wheels
from runtime_bundles import listed, mini_contents, write_bundle
from runtime_installs_disk import mini_version

from edge_vc_boards.flash.error import FlashError
from edge_vc_boards.flash.facts import BoardFacts, read_facts
from edge_vc_boards.flash.preflight import check_facts, facts_notes, find_profile, find_system
from edge_vc_boards.flash.remote_scripts import script_words
from edge_vc_boards.flash.request import check_root
from edge_vc_boards.flash.ssh import SshTarget
from edge_vc_boards.flash.ssh_failures import ssh_failure
from edge_vc_boards.profile_folder import load_board, load_boards
from edge_vc_boards.testing import FakeBoard, FakeBoardFacts

PI4 = BoardFacts(
    root="/opt/edge-vc", arch="aarch64", bits=64, glibc="2.36", python="3.11", venv="yes",
    keygen="/usr/bin/ssh-keygen", free_kb=1 << 20, ram_kb=1 << 20, audio_group=1, cards=1,
    model="Raspberry Pi 4 Model B Rev 1.4", clock=1_800_000_000,
)  # fmt: skip


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> SigningPair:
    return new_pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_wheels(tmp_path_factory.mktemp("wheels") / "wheels")


@pytest.fixture
def one(tmp_path: Path, pair: SigningPair) -> Path:
    return pair.sign(mini_version(tmp_path / "one.evc", "1.0"))


def fake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: FakeBoardFacts | None = None
) -> FakeBoard:
    board = FakeBoard(tmp_path / "board", facts)
    monkeypatch.setenv("PATH", board.path())
    return board


def test_a_service_is_installed_left_alone_taken_back_and_removed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    one: Path,
    wheels: Path,
    pair: SigningPair,
) -> None:
    board = fake(tmp_path, monkeypatch)
    to = ["--to", "pi@fake", "--wheels", str(wheels)]
    trust = ["--trust", str(pair.public)]
    done = flash(str(one), *to, *trust, "--", "--input", "plughw:CARD=Mic,DEV=0")
    assert done.exit_code == 0, done.stderr
    root = board.file("/opt/edge-vc")
    current = (root / "current").readlink()
    assert (root / "current/bundle.evc").read_bytes() == one.read_bytes()
    assert "example.com namespaces=" in board.file("/etc/edge-vc/allowed_signers").read_text()
    unit = board.file("/etc/systemd/system/edge-vc.service").read_text()
    assert "run /opt/edge-vc/current/bundle.evc --input plughw:CARD=Mic,DEV=0" in unit
    assert "\nUser=edge-vc\n" in unit
    accounts = board.file("/etc/passwd")
    assert "\nedge-vc:" in accounts.read_text()

    ran, started = len(board.commands()), (board.folder / "systemctl.log").read_text()
    done = flash(str(one), *to, "--", "--input", "plughw:CARD=Mic,DEV=0")
    assert "nothing to do" in done.stdout
    assert len(board.commands()) == ran + 1
    again = (board.folder / "systemctl.log").read_text().removeprefix(started)
    assert again == "is-active edge-vc\n"

    board.service_fails()
    two = pair.sign(mini_version(tmp_path / "two.evc", "1.1"))
    environment = (root / "venv").readlink()
    others = small_wheels(tmp_path / "others", board="pi5")
    done = flash(str(two), *to[:2], "--wheels", str(others))
    assert done.exit_code == 1
    assert (root / "venv").readlink() == environment
    assert len(list((root / "venvs").iterdir())) == 2
    assert "the service does not stay up: the sound card is missing" in done.stderr
    assert (root / "current").readlink() == current
    assert events(root)[-1][0] == "rollback"
    service = board.file("/etc/systemd/system/edge-vc.service")
    assert service.read_text() == unit  # with the arguments of what runs again
    assert [path.name for path in service.parent.iterdir()] == [service.name]

    assert "service: failed" in flash("--to", "pi@fake", "--list").stdout
    accounts.write_text(accounts.read_text().replace("edge-vc:", "gone:"))
    board.service_fails(False)
    assert "nothing to do" in flash(str(one), *to, "--", "--input", "plughw:CARD=Mic,DEV=0").stdout
    assert "\nedge-vc:" in accounts.read_text()
    assert flash("--to", "pi@fake", "--uninstall").exit_code == 0
    assert "edge-vc:" not in accounts.read_text()
    assert not root.exists()
    assert not board.file("/etc/systemd/system/edge-vc.service").exists()
    assert board.file("/etc/edge-vc/allowed_signers").exists()


def test_a_user_without_root_installs_at_home_and_goes_on_after_a_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: Path, wheels: Path, pair: SigningPair
) -> None:
    board = fake(tmp_path, monkeypatch, FakeBoardFacts(sudo=False))
    to = ["--to", "pi@fake", "--wheels", str(wheels), "--trust", str(pair.public)]
    done = flash(str(one), *to)
    assert done.exit_code == 2
    assert "asks for a password there" in done.stderr
    assert "--root edge-vc" in done.stderr

    board.fail("Connection to fake closed by remote host.", after=2)
    done = flash(str(one), *to, "--root", "edge-vc")
    assert done.exit_code == 2
    assert "the same command resumes where it stopped" in done.stderr
    board.answer()
    done = flash(str(one), *to, "--root", "edge-vc")
    assert done.exit_code == 0, done.stderr
    assert "sending edge_vc_runtime" not in done.stderr
    root = board.folder / "home/pi/edge-vc"
    assert (root / "current/bundle.evc").is_file()
    assert (board.folder / "home/pi/.config/edge-vc/allowed_signers").is_file()
    assert not (board.folder / "systemctl.log").read_text().replace("is-active edge-vc\n", "")

    stranger = new_pair(tmp_path, "stranger").sign(mini_version(tmp_path / "two.evc", "1.1"))
    done = flash(str(stranger), *to[:4], "--root", "edge-vc")
    assert done.exit_code == 2
    assert "ci@example.com" not in done.stderr
    assert "allowed" in done.stderr

    manifest, files = mini_contents()
    wrong = replace(manifest, version="1.2")
    files["model.fp32.onnx"] = files["model.int8.onnx"]
    bad = pair.sign(write_bundle(tmp_path / "bad.evc", listed(wrong, files), files))
    before = (root / "current").readlink()
    done = flash(str(bad), *to[:4], "--root", "edge-vc")
    assert done.exit_code == 1
    assert "golden recording" in done.stderr
    assert (root / "current").readlink() == before


def test_what_arrives_damaged_is_not_kept(tmp_path: Path) -> None:
    def receive(data: bytes) -> int:
        words = script_words("receive", [str(tmp_path / "wheels"), "a.whl", digest])
        return subprocess.run(words, input=data, capture_output=True, check=False).returncode

    digest = hashlib.sha256(b"whole").hexdigest()
    assert receive(b"who") == 1
    assert not list((tmp_path / "wheels").iterdir())
    assert receive(b"whole") == 0
    assert (tmp_path / "wheels/a.whl").read_bytes() == b"whole"
    assert (tmp_path / "wheels/hashes").read_text() == f"{digest} a.whl\n"


def test_a_failed_pip_leaves_no_environment_and_has_wheels_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: Path, wheels: Path, pair: SigningPair
) -> None:
    board = fake(tmp_path, monkeypatch)
    board.pip_fails()
    done = flash(str(one), "--to", "pi@fake", "--wheels", str(wheels), "--trust", str(pair.public))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1].startswith("edge-vc flash: error: pi@fake: venv: ")
    root = board.file("/opt/edge-vc")
    assert not list((root / "venvs").iterdir())
    assert not (root / "venv").exists()
    assert not (root / "wheels/hashes").exists()


def test_a_dry_run_prints_every_command_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: Path, wheels: Path, pair: SigningPair
) -> None:
    board = fake(tmp_path, monkeypatch)
    before = sorted(board.folder.rglob("*"))
    to = ["--to", "pi@fake", "--wheels", str(wheels), "--trust", str(pair.public)]
    done = flash(str(one), *to, "--dry-run")
    assert done.exit_code == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("ssh pi@fake ")]
    assert len(lines) == 9
    assert "# edge-vc-user make" in done.stdout.splitlines()
    assert "power mode" not in done.stderr
    assert all(line.startswith("dry run: ") for line in done.stderr.splitlines())
    assert done.stderr.endswith("pi@fake: nothing was changed\n")
    assert len(board.commands()) == 1
    new = {path.name for path in board.folder.rglob("*")} - {path.name for path in before}
    assert new <= {"commands.jsonl", "systemctl.log"}


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (FakeBoardFacts(arch="armv7l", bits=32), "64-bit Raspberry Pi OS"),
        (FakeBoardFacts(bits=32), "32-bit on a 64-bit kernel"),
        (FakeBoardFacts(venv=False), "sudo apt install python3-venv"),
        (FakeBoardFacts(free_kb=1024), "1 MB are free on its disk"),
        (FakeBoardFacts(cards=0), "no sound card for the service"),
        (FakeBoardFacts(python="3.13"), "wheels for Python 3.11, the board has 3.13"),
        (FakeBoardFacts(python="3.9"), "its python3 is 3.9, 3.10 or later is needed"),
    ],
    ids=["arm32", "userland", "venv", "disk", "card", "python", "old"],
)
def test_a_board_that_does_not_fit_is_refused(
    facts: FakeBoardFacts,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    one: Path,
    wheels: Path,
    pair: SigningPair,
) -> None:
    board = fake(tmp_path, monkeypatch, facts)
    done = flash(str(one), "--to", "pi@fake", "--wheels", str(wheels), "--trust", str(pair.public))
    assert done.exit_code == 2
    assert said in done.stderr
    assert "edge-vc flash: error: pi@fake: " in done.stderr
    assert len(board.commands()) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"python": ""}, "no python3"),
        ({"keygen": ""}, "openssh-client"),
        ({"ram_kb": 50 << 10}, "50 MB of memory are free, 96 MB are needed"),
        ({"model": "Raspberry Pi 5 Model B"}, "is for pi4, this is pi5"),
    ],
    ids=["python", "keygen", "memory", "model"],
)
def test_facts_that_refuse(change: dict[str, object], said: str) -> None:
    facts = replace(PI4, **change)  # type: ignore[arg-type]
    manifest = replace(mini_contents()[0], boards=("pi4",))
    with pytest.raises(FlashError, match=said):
        check_facts(facts, manifest, find_profile(facts, load_boards(), None))
    check_facts(PI4, manifest, load_board("pi4"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--inptu", "USB"], "unrecognized arguments: --inptu"),
        (["--gain", "loud"], "expected a number from -40 to 24 dB"),
        (["--help"], "a service needs no help"),
        (["second.evc"], "'second.evc' is an IN without an OUT; one BUNDLE is taken"),
    ],
    ids=["option", "value", "help", "bundle"],
)
def test_arguments_that_run_would_not_take_are_refused_before_the_board_is_asked(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: Path
) -> None:
    board = fake(tmp_path, monkeypatch)
    done = flash(str(one), "--to", "pi@fake", "--allow-unsigned", "--", *words)
    assert done.exit_code == 2
    assert done.stderr.startswith("edge-vc flash: error: arguments after --: ")
    assert said in done.stderr
    fleet = tmp_path / "boards.toml"
    fleet.write_text(f'[hosts.a]\nto = "pi@fake"\nrun = {json.dumps(words)}\n')
    done = flash(str(one), "--inventory", str(fleet), "--allow-unsigned")
    assert done.exit_code == 2
    assert "boards.toml: a: arguments of run: " in done.stderr
    assert not done.stdout
    assert not board.commands()


def test_a_profile_of_ones_own_goes_first_and_each_can_be_named() -> None:
    pi4 = load_board("pi4")
    own = replace(pi4, name="zzz")  # a copy, that the same model is recognised by
    boards = (*load_boards(), own)
    assert find_profile(PI4, boards, None) is own
    assert find_profile(PI4, boards, pi4) is pi4
    assert find_profile(PI4, boards, own) is own


def test_a_board_without_a_profile_is_refused_before_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: Path
) -> None:
    board = fake(tmp_path, monkeypatch)
    done = flash(str(one), "--to", "pi@fake", "--allow-unsigned", "--board", "pi44")
    assert done.exit_code == 2
    assert "no board 'pi44'; did you mean pi4?" in done.stderr
    fleet = tmp_path / "boards.toml"
    fleet.write_text('[hosts.a]\nto = "pi@fake"\nboard = "pi44"\n')
    done = flash(str(one), "--inventory", str(fleet), "--allow-unsigned")
    assert done.exit_code == 2
    assert "no board 'pi44'; did you mean pi4?" in done.stdout
    assert not board.commands()


def test_a_profile_is_found_by_model_and_system_by_its_versions() -> None:
    boards = load_boards()
    assert find_profile(PI4, boards, None).name == "pi4"
    assert find_profile(replace(PI4, model="Some board"), boards, None).name == "generic-arm64"
    assert find_profile(replace(PI4, arch="x86_64", model=""), boards, None).name == "x86-64"
    with pytest.raises(FlashError, match="the board is another one"):
        find_profile(PI4, boards, load_board("pi5"))
    assert find_profile(PI4, boards, load_board("generic-arm64")).name == "generic-arm64"
    trixie = replace(PI4, python="3.13", glibc="2.41")
    assert find_system(trixie, load_board("pi4")).key == "trixie"
    assert find_system(PI4, load_board("pi4")).key == "bookworm"
    with pytest.raises(FlashError, match="glibc 2.31"):
        find_system(replace(PI4, glibc="2.31"), load_board("pi4"))
    orin = load_board("orin-nano")
    jetpack6 = replace(PI4, tegra="# R36 (release), REVISION: 4.3", python="3.10", glibc="2.35")
    assert find_system(jetpack6, orin).tegra_release == "R36"
    with pytest.raises(FlashError, match="R35"):
        find_system(replace(jetpack6, tegra="# R35 (release), REVISION: 4.1"), orin)


def test_the_power_mode_of_a_jetson_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: Path, pair: SigningPair
) -> None:
    facts = FakeBoardFacts(
        model="NVIDIA Jetson Orin Nano Developer Kit", tegra="# R36 (release), REVISION: 4.3",
        python="3.10", glibc="2.35", power="NV Power Mode: MODE_15W",
    )  # fmt: skip
    board = fake(tmp_path, monkeypatch, facts)
    listed = small_wheels(tmp_path / "wheels", "3.10")
    to = ["--to", "pi@fake", "--trust", str(pair.public), "--wheels", str(listed), "--dry-run"]
    done = flash(str(one), *to)
    assert done.exit_code == 0, done.stderr
    assert "its power mode is left as it is: NV Power Mode: MODE_15W" in done.stderr
    board.file("/etc/nv_tegra_release").write_text("# R35 (release), REVISION: 4.1\n")
    done = flash(str(one), *to)
    assert done.exit_code == 2
    assert "runs Jetson Linux R35" in done.stderr


def test_a_clock_in_1970_is_a_note() -> None:
    assert not facts_notes(PI4)
    assert "its clock is before 2026" in facts_notes(replace(PI4, clock=12))[0]


@pytest.mark.parametrize("text", ["", "arch=aarch64\n", "done=no\n", "Welcome!\n" * 1000])
def test_a_shell_that_says_something_else_is_refused(text: str) -> None:
    with pytest.raises(FlashError, match="does not answer as a Linux board does"):
        read_facts(text, "pi@fake")


def test_hostile_facts_are_bounded_and_printable() -> None:
    lines = ["arch=\x1b[31m" + "a" * 9999, "free_kb=-5e9", "wheel=zz ../../x.whl", "uid=0x10"]
    facts = read_facts("\n".join([*lines, "done=yes"]), "pi@fake")
    assert facts.arch.isprintable()
    assert len(facts.arch) <= 400
    assert (facts.free_kb, facts.uid, facts.wheels) == (-1, -1, {})


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
         "its host key has changed"),
        ("No ED25519 host key is known for fake\nHost key verification failed.", "is not known"),
        ("pi@fake: Permission denied (publickey).", "ssh-copy-id pi@fake"),
        ("ssh: connect to host fake port 22: Connection refused", "SSH server"),
        ("ssh: connect to host fake port 22: Connection timed out", "cannot be reached"),
        ("ssh: Could not resolve hostname fake: Name or service not known", "no such host"),
        ("client_loop: send disconnect: Broken pipe", "resumes where it stopped"),
        ("", "resumes where it stopped"),
    ],
)  # fmt: skip
def test_what_ssh_says_becomes_one_line(said: str, told: str) -> None:
    error = str(ssh_failure("pi@fake", said))
    assert error.startswith("pi@fake: ")
    assert told in error
    assert "\n" not in error


@pytest.mark.parametrize("name", ["-oProxyCommand=x", "pi@", "pi@-x", "a b", "pi@x;reboot", "$(x)"])
def test_a_target_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(FlashError, match="has to be USER@HOST"):
        SshTarget(name)


@pytest.mark.parametrize("option", ["StrictHostKeyChecking=no", "stricthostkeychecking off"])
def test_host_keys_stay_checked(option: str) -> None:
    with pytest.raises(FlashError, match="host keys are always checked"):
        SshTarget("pi@fake", options=(option,))


@pytest.mark.parametrize("root", ["", "/", "..", "/opt/../etc", "~/x", "a b", "$HOME", "-x", "x\n"])
def test_a_root_that_is_none_is_refused(root: str) -> None:
    with pytest.raises(FlashError, match="--root"):
        check_root(root)


def test_an_unsigned_bundle_and_one_of_a_stranger_never_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pair: SigningPair, one: Path
) -> None:
    board = fake(tmp_path, monkeypatch)
    unsigned = mini_version(tmp_path / "unsigned.evc", "1.0")
    done = flash(str(unsigned), "--to", "pi@fake")
    assert done.exit_code == 2
    assert "is not signed" in done.stderr
    other = new_pair(tmp_path, "other")
    done = flash(str(one), "--to", "pi@fake", "--trust", str(other.public))
    assert done.exit_code == 2
    assert "one.evc" in done.stderr
    assert not board.commands()
    done = flash(str(one), "--to", "pi@fake")
    assert "--trust KEY.pub" in done.stderr
    assert len(board.commands()) == 1
