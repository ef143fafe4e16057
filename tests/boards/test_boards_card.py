"""Cards: told by their content, written in place, read back, the same bytes each time."""

from __future__ import annotations

import io
import itertools
import json
import lzma
import tarfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from boards_cards import (
    BOOT,
    HASH,
    KEY,
    KINDS,
    card_request,
    mbr,
    needs_card_tools,
    payload,
    pi_image,
    settings,
)
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from edge_vc_boards.flash.image.card import make_card
from edge_vc_boards.flash.image.card_settings import CardSettings
from edge_vc_boards.flash.image.cloud_init_files import cloud_init_files
from edge_vc_boards.flash.image.cmdline import edit_cmdline
from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.fat import FatPartition
from edge_vc_boards.flash.image.image_copy import copy_image
from edge_vc_boards.flash.image.image_layer import write_layer
from edge_vc_boards.flash.image.init_format import RULES, ImageContent, detect_format
from edge_vc_boards.flash.image.password import password_hash
from edge_vc_boards.flash.image.payload import write_payload
from edge_vc_boards.flash.image.preseed_files import preseed_files
from edge_vc_boards.flash.image.systemd_files import keyfile
from edge_vc_boards.flash.image.wifi import WifiNetwork, wifi_key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cards")


@pytest.fixture(scope="module", params=sorted(KINDS))
def stock(request: pytest.FixtureRequest, folder: Path) -> tuple[str, Path]:
    kind: str = request.param
    python = "3.11" if kind == "systemd" else "3.13"
    return kind, pi_image(folder / f"{kind}.bin", kind, python=python)


def test_a_card_of_every_format(stock: tuple[str, Path], folder: Path, tmp_path: Path) -> None:
    kind, image = stock
    made = make_card(card_request(folder, image, tmp_path / "card.img"))
    assert made.format == kind
    boot = FatPartition(made.path, BOOT)
    names = boot.names()
    assert {"edge-vc-first-boot.sh", "edge-vc-payload.tar", "edge-vc-payload.sha256"} <= names
    expected = {
        "systemd": {"firstrun.sh"},
        "cloudinit-rpi": {"user-data", "meta-data", "network-config"},
        "rpi-preseed": {"rpi-preseed.toml"},
    }
    for each, files in expected.items():
        assert files.issubset(names) == (each == kind)
    before, after = FatPartition(image, BOOT).hashes(), boot.hashes()
    edited = {"cmdline.txt", "user-data", "meta-data", "network-config"}
    for name in before.keys() - edited:
        assert after[name] == before[name], name
    original, written = image.read_bytes(), made.path.read_bytes()
    assert written[: BOOT.start] == original[: BOOT.start]
    assert written[BOOT.start + BOOT.size :] == original[BOOT.start + BOOT.size :]
    assert made.path.stat().st_mode & 0o077 == 0
    manifest = json.loads(made.manifest.read_text())["os_list"][0]
    assert made.manifest.name == "card.rpi-imager-manifest"
    assert manifest["init_format"] == kind
    assert manifest["extract_sha256"] == made.sha256


def test_the_same_card_twice_is_the_same_bytes(
    stock: tuple[str, Path], folder: Path, tmp_path: Path
) -> None:
    _, image = stock
    packed = tmp_path / "packed.xz"
    data = image.read_bytes()
    # Two streams after one another, as pixz and pbzip write them.
    parts = data[:5000000], data[5000000:]
    packed.write_bytes(b"".join(lzma.compress(part, preset=0) for part in parts))
    one = make_card(card_request(folder, image, tmp_path / "a.img"))
    two = make_card(card_request(folder, packed, tmp_path / "b.img"))
    other = card_request(folder, image, tmp_path / "c.img", settings=settings(instance="2"))
    three = make_card(other)
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.instance == two.instance != three.instance
    assert one.path.stat().st_blocks * 512 < one.size  # holes stay holes


def read(folder: Path, tmp_path: Path, kind: str, name: str, **changes: object) -> bytes:
    """Make a card and return one of its files."""
    image = pi_image(tmp_path / "stock.img", kind)
    request = card_request(folder, image, tmp_path / "out.img", settings=settings(**changes))
    return FatPartition(make_card(request).path, BOOT).read(name)


def test_user_data_is_yaml_with_a_single_user(folder: Path, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    image = pi_image(tmp_path / "stock.img", "cloudinit-rpi")
    made = make_card(card_request(folder, image, tmp_path / "out.img"))
    boot = FatPartition(made.path, BOOT)
    text = boot.read_text("user-data")
    assert text.startswith("#cloud-config\n")
    data: dict[str, Any] = yaml.safe_load(text)
    assert data["user"]["name"] == "ann"
    assert data["user"]["sudo"] is None
    assert data["user"]["passwd"] == HASH
    assert data["user"]["ssh_authorized_keys"] == [KEY]
    assert {"users", "enable_ssh"}.isdisjoint(data)
    assert ["systemctl", "enable", "--now", "ssh"] in data["runcmd"]
    assert data["runcmd"][-1] == ["sh", "/boot/firmware/edge-vc-first-boot.sh", "enable", "--start"]
    wlan = yaml.safe_load(boot.read_text("network-config"))["network"]["wifis"]["wlan0"]
    assert list(wlan["access-points"]) == [settings().wifi.ssid]  # type: ignore[union-attr]
    assert yaml.safe_load(boot.read_text("meta-data"))["instance-id"] == made.instance
    words = boot.read_text("cmdline.txt").split()
    assert f"ds=nocloud;i={made.instance}" in words
    assert "cfg80211.ieee80211_regdom=GB" in words


def test_a_key_alone_locks_the_password_and_keeps_sudo(folder: Path, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    data = read(folder, tmp_path, "cloudinit-rpi", "user-data", password_hash="", wifi=None)
    user = yaml.safe_load(data)["user"]
    assert user["lock_passwd"] is True
    assert user["sudo"] == ["ALL=(ALL) NOPASSWD:ALL"]
    assert "passwd" not in user


def test_the_preseed_is_toml_with_nothing_special_in_it(folder: Path, tmp_path: Path) -> None:
    text = read(folder, tmp_path, "rpi-preseed", "rpi-preseed.toml").decode()
    data = tomllib.loads(text)
    assert data["config_version"] == "1.0"
    assert data["user"]["password"] == HASH
    assert data["user"]["password_encrypted"] is True
    assert read(folder, tmp_path, "rpi-preseed", "edge-vc-ssh-keys") == f"{KEY}\n".encode()
    assert bytes.fromhex(data["wlan"]["ssid_hex"]).decode() == 'Café; "it\'s" $HOME'
    assert "ssid" not in data["wlan"]
    assert data["ssh"]["authorized_keys"] == [KEY]
    script = "sh /boot/firmware/edge-vc-first-boot.sh"
    early = [f"{script} keys", "systemctl --no-block start ssh", f"{script} enable --start"]
    assert data["runcmd"] == {"early": early, "early_cmd_timeout": 9}
    # The tool ends an array of several lines at the first bracket in it.
    assert all(line.startswith("[") or " = " in line for line in text.splitlines() if line)
    assert '"""' not in text
    assert "'''" not in text


def test_no_secret_is_on_a_card(folder: Path, tmp_path: Path) -> None:
    wifi = WifiNetwork("home", wifi_key("home", "secret passphrase"), "GB")
    chosen = {"wifi": wifi, "password_hash": password_hash("secret password", "ann")}
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        image = pi_image(tmp_path / kind / "stock.img", kind)
        request = card_request(
            folder, image, tmp_path / kind / "out.img", settings=settings(**chosen)
        )
        assert b"secret" not in make_card(request).path.read_bytes()


def test_the_wifi_key_is_that_of_the_standard() -> None:
    # IEEE 802.11i, annex on the mapping of passphrases.
    made = "f42c6fc52df0ebef9ebb4b90b38a5f902e83fe1b135a70e23aed762e9710a12e"
    assert wifi_key("IEEE", "password") == made
    assert wifi_key("IEEE", made.upper()) == made


def test_a_password_becomes_the_same_hash_for_the_same_card() -> None:
    one = password_hash("correct horse", "ann", "host")
    assert one.startswith("$6$")
    assert one == password_hash("correct horse", "ann", "host")
    assert one != password_hash("correct horse", "bob", "host")
    assert password_hash(HASH) == HASH


@needs_card_tools
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"without": ("issue.txt",)}, "is not Raspberry Pi OS: issue.txt missing"),
        ({"files": {"issue.txt": "Ubuntu"}}, "names no release"),
        ({"packages": []}, "not known.*signs of: none.*no sign of any"),
        ({"packages": ["rpi-preseed", "cloud-init"], "files": KINDS["cloudinit-rpi"][0]},
         "not known.*cloudinit-rpi, rpi-preseed; --init-format says which"),
        ({"packages": ["cloud-init", "userconf-pi", "raspberrypi-sys-mods"]}, "not known"),
        ({"arm64": False}, "32-bit"),
        ({"python": "3.9"}, "no Python 3.11 or 3.13"),
        ({"files": {"cmdline.txt": "quiet"}}, "names no root"),
    ],
)  # fmt: skip
def test_an_unknown_image_is_refused(
    folder: Path, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    image = pi_image(tmp_path / "stock.img", **changes)
    with pytest.raises(CardError, match=reason) as caught:
        make_card(card_request(folder, image, tmp_path / "card.img"))
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["stock.img"]


def test_a_format_is_chosen_only_among_those_whose_signs_are_there() -> None:
    names = frozenset({"cmdline.txt", "config.txt", "issue.txt", "user-data", "meta-data",
                       "network-config"})  # fmt: skip
    both = ImageContent(names, lambda package: package in {"cloud-init", "rpi-preseed"})
    assert detect_format(both, "rpi-preseed") == "rpi-preseed"
    with pytest.raises(CardError, match="has not what --init-format systemd needs"):
        detect_format(both, "systemd")
    assert {rule.name for rule in RULES} == set(KINDS)


def test_no_image_has_the_signs_of_two_formats_for_sure() -> None:
    signs = sorted({sign for rule in RULES for sign in rule.boot + rule.without_boot})
    packages = sorted({each for rule in RULES for each in rule.packages + rule.without_packages})
    always = {"cmdline.txt", "config.txt", "issue.txt"}
    for chosen in itertools.product((False, True), repeat=len(signs) + len(packages)):
        files = frozenset(itertools.compress(signs, chosen))
        installed = frozenset(itertools.compress(packages, chosen[len(signs) :]))
        fitting = [
            rule.name
            for rule in RULES
            if files.issuperset(rule.boot)
            and installed.issuperset(rule.packages)
            and files.isdisjoint(rule.without_boot)
            and installed.isdisjoint(rule.without_packages)
        ]
        content = ImageContent(files | always, installed.__contains__)
        if fitting:
            assert [detect_format(content)] == fitting
        else:
            with pytest.raises(CardError, match="not known"):
                detect_format(content)


@needs_card_tools
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no partition table"),
        (bytes(4096), "no partition table"),
        (mbr([(0x0C, 1 << 20, 64 << 20)]), "truncated"),
        (mbr([]), "empty partition table"),
        (mbr([(0x83, 512, 512)]) + bytes(4096), "no FAT partition"),
        (mbr([(0x0C, 512, 2048), (0x83, 4096, 512)]) + bytes(8192), "no FAT file system"),
        (b"\xfd7zXZ\x00\x00", "not a complete .xz file"),
        (lzma.compress(bytes(1 << 20))[:-20], "not a complete .xz file"),
    ],
)
def test_what_is_no_image_is_refused(
    folder: Path, tmp_path: Path, data: bytes, reason: str
) -> None:
    image = tmp_path / "stock.img"
    image.write_bytes(data)
    with pytest.raises(CardError, match=reason):
        make_card(card_request(folder, image, tmp_path / "card.img"))
    assert not (tmp_path / "card.img").exists()


def test_an_image_that_unpacks_without_end_is_stopped(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xz"
    bomb.write_bytes(lzma.compress(bytes(16 << 20), preset=0))
    with pytest.raises(CardError, match="larger than 8 MiB unpacked"):
        copy_image(bomb, tmp_path / "out.img", limit=8 << 20)
    assert (tmp_path / "out.img").stat().st_size <= 8 << 20


def test_a_full_disk_is_named_and_not_the_stock_image(tmp_path: Path) -> None:
    stock = tmp_path / "stock.img"
    stock.write_bytes(b"x" * (2 << 20))
    with pytest.raises(CardError, match="^/dev: No space left on device$"):
        copy_image(stock, Path("/dev/full"))


@needs_card_tools
def test_a_fat_whose_files_are_larger_than_itself_is_refused(folder: Path, tmp_path: Path) -> None:
    image = pi_image(tmp_path / "stock.img")
    data = bytearray(image.read_bytes())
    entry = data.find(b"KERNEL8 IMG")  # an old-style entry; its size is the last of 32 bytes
    data[entry + 28 : entry + 32] = (1 << 31).to_bytes(4, "little")
    image.write_bytes(data)
    with pytest.raises(CardError, match="its files are larger than itself"):
        make_card(card_request(folder, image, tmp_path / "card.img"))


def test_a_full_boot_partition_is_refused_with_the_numbers(folder: Path, tmp_path: Path) -> None:
    image = pi_image(tmp_path / "stock.img", files={"big.bin": "x" * 8_250_000})
    earlier = tmp_path / "card.img"
    earlier.write_bytes(b"an earlier card")
    with pytest.raises(CardError, match=r"has \d\.\d MB free and \d\.\d MB are needed"):
        make_card(card_request(folder, image, earlier))
    assert earlier.read_bytes() == b"an earlier card"


def test_a_card_that_reads_back_otherwise_is_not_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = pi_image(tmp_path / "stock.img")
    write = FatPartition.write

    def damaged(self: FatPartition, files: dict[str, Path | bytes]) -> None:
        write(self, files)
        with self.image.open("r+b") as file:
            file.seek(BOOT.start + BOOT.size + 4096)
            file.write(b"\xff")

    monkeypatch.setattr(FatPartition, "write", damaged)
    with pytest.raises(CardError, match="outside its boot partition"):
        make_card(card_request(folder, image, tmp_path / "card.img"))
    assert [path.name for path in tmp_path.iterdir()] == ["stock.img"]


@needs_card_tools
def test_a_missing_tool_is_named_with_its_package(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = pi_image(tmp_path / "stock.img")
    monkeypatch.setattr("edge_vc_boards.flash.image.host_tool.shutil.which", lambda *_, **__: None)
    with pytest.raises(CardError, match="mdir is needed.*sudo apt install mtools"):
        make_card(card_request(folder, image, tmp_path / "card.img"))


@pytest.mark.parametrize(
    "changes",
    [
        {"user": "root"},
        {"user": "ann;reboot"},
        {"user": ""},
        {"hostname": "$(reboot)"},
        {"hostname": "-x"},
        {"timezone": "../../etc/passwd"},
        {"locale": "de_DE.UTF-8\nx"},
        {"keyboard": "de'"},
        {"ssh_keys": ("ssh-ed25519 AAAA",)},
        {"ssh_keys": (f"{KEY}\nssh_pwauth: true",)},
        {"ssh_keys": (f'command="reboot" {KEY}',)},
        {"ssh_keys": (), "password_hash": ""},
        {"instance": "a b"},
    ],
)
def test_a_setting_that_no_system_takes_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(CardError):
        settings(**changes)


@pytest.mark.parametrize(
    "network",
    [("", "", "GB"), ("x" * 33, "", "GB"), ("a\nb", "", "GB"), ("a", "", "gb"), ("a", "no", "GB")],
)
def test_a_network_that_none_can_be_is_refused(network: tuple[str, str, str]) -> None:
    with pytest.raises(CardError):
        WifiNetwork(*network)


@limits(max_examples=40)
@given(st.text(min_size=1, max_size=32), st.booleans())
def test_any_name_of_a_network_survives_every_format(ssid: str, hidden: bool) -> None:
    yaml = pytest.importorskip("yaml")
    try:
        wifi = WifiNetwork(ssid, "0" * 64, "GB", hidden)
    except CardError:
        return
    chosen = settings(wifi=wifi)
    seed = cloud_init_files(chosen, "root=x", "edge-vc-1")
    wlan = yaml.safe_load(seed["network-config"])["network"]["wifis"]["wlan0"]
    assert list(wlan["access-points"]) == [ssid]
    named = tomllib.loads(preseed_files(chosen)["rpi-preseed.toml"].decode())["wlan"]
    assert named.get("ssid", bytes.fromhex(named.get("ssid_hex", "")).decode()) == ssid
    row = next(line for line in keyfile(wifi).splitlines() if line.startswith("ssid="))
    assert bytes(map(int, row.removeprefix("ssid=").rstrip(";").split(";"))) == ssid.encode()


def test_the_command_line_keeps_its_words() -> None:
    text = "console=tty1 root=/dev/mmcblk0p2 ds=nocloud;i=old systemd.run=/x quiet\n"
    assert edit_cmdline(text, seed="new").decode() == (
        "console=tty1 root=/dev/mmcblk0p2 systemd.run=/x quiet ds=nocloud;i=new\n"
    )
    first = edit_cmdline(text, country="DE", first_run=True).decode().split()
    assert first[-1] == "systemd.unit=kernel-command-line.target"
    assert first.count("systemd.run=/boot/firmware/firstrun.sh") == 1
    assert "systemd.run=/x" not in first


def test_the_payload_holds_what_it_lists(folder: Path, tmp_path: Path) -> None:
    made = write_payload(payload(folder, signer="ci ssh-ed25519 AAAA"), tmp_path)
    archive = made["edge-vc-payload.tar"]
    assert isinstance(archive, Path)
    with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as tar:
        members = tar.getmembers()
        assert {member.mtime for member in members} == {1767225600}
        names = {member.name for member in members}
    assert {"bundle.evc", "requirements.txt", "allowed_signers", "hashes", "venv-id"} <= names
    assert "edge-vc.service" in names


def test_a_layer_carries_the_same_payload(folder: Path, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    written = write_layer(tmp_path / "layer-folder", payload(folder))
    layer = written[0].read_text()
    assert "# X-Env-Layer-Name: edge-vc" in layer
    hooks = yaml.safe_load(layer)["mmdebstrap"]["customize-hooks"]
    assert hooks[-1] == 'chroot "$1" sh /usr/lib/edge-vc/edge-vc-first-boot.sh enable'
    names = {path.name for path in written[1:]}
    assert names == {"edge-vc-first-boot.sh", "edge-vc-payload.tar", "edge-vc-payload.sha256"}


def test_settings_have_no_secret_in_clear() -> None:
    assert set(CardSettings.__dataclass_fields__) == {
        "user", "password_hash", "ssh_keys", "hostname", "timezone", "locale", "keyboard", "wifi",
        "instance",
    }  # fmt: skip
