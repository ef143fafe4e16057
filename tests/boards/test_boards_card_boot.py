"""Cards of all three formats, booted: they install themselves, and convert what they hear.

`make test-cards` runs these, in many minutes: QEMU translates every instruction. The systems are
stand-ins made of Debian with Raspberry Pi's own tools (`boards_debian` says what is simulated).
Sound goes through ALSA's loopback; the guest's clock follows its instructions, so that audio is in
real time for it. Nothing here says how fast a board is.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from boards_card_image import FILES, SUITES, write_stock_image
from boards_card_machine import Machine
from boards_card_sound import RATE, converted, likeness, samples, speech, wav
from boards_debian import cache, require_tools
from boards_flash import flash, new_pair

from edge_vc.assets import bundle_path
from edge_vc_boards.board import BoardError
from edge_vc_boards.flash.image.wifi import wifi_key
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.collect import collect_wheels
from edge_vc_boards.wheels.requirements import wheel_set

pytestmark = [pytest.mark.cards, pytest.mark.timeout(4 * 3600)]
LIMIT_S = float(os.environ.get("EDGE_VC_CARDS_LIMIT_S", "5400"))
"""Of one boot."""
CARD = "plughw:CARD=Loopback,DEV=1"
NETWORK, PASSPHRASE = "Our network", "correct horse"
NETWORK_FILES = {
    "systemd": "/etc/NetworkManager/system-connections/edge-vc.nmconnection",
    "cloudinit-rpi": "/etc/netplan/50-cloud-init.yaml",
    "rpi-preseed": "/etc/NetworkManager/system-connections/preconfigured.nmconnection",
}


@pytest.fixture(scope="module", params=list(SUITES))
def kind(request: pytest.FixtureRequest) -> str:
    require_tools()
    return str(request.param)


@pytest.fixture(scope="module")
def wheels(kind: str) -> Path:
    suite = SUITES[kind]
    folder = cache() / f"wheels-{suite}"
    try:
        collect_wheels(wheel_set(load_board("pi4"), None, None, suite), folder)
    except BoardError as error:
        pytest.skip(f"no card is booted: {error}")
    return folder


@pytest.fixture(scope="module")
def machine(kind: str, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A board whose card was just flashed."""
    folder = tmp_path_factory.mktemp(kind)
    pair = new_pair(folder)
    bundle = folder / "base.evc"
    shutil.copy(bundle_path("kathleen-base"), bundle)
    pair.sign(bundle)
    stock, card = write_stock_image(folder / "stock.img", kind), folder / "card.img"
    words = [str(bundle), "--image", str(stock), "--out", str(card), "--board", "pi4"]
    words += ["--user", "ann", "--ssh-key", str(pair.public), "--hostname", "voice-1"]
    words += ["--wheels", str(wheels), "--trust", str(pair.public)]
    (folder / "wifi").write_text(f"{PASSPHRASE}\n")
    words += ["--wifi", NETWORK, "--wifi-country", "GB", "--wifi-file", str(folder / "wifi")]
    made = flash(*words, "--", "--input", CARD, "--output", CARD)
    assert made.exit_code == 0, made.stderr
    assert kind in made.stdout + made.stderr
    stock.unlink()
    made_machine = Machine(card, folder)
    key = wifi_key(NETWORK, PASSPHRASE)
    _give_script(made_machine, "first.sh", "NETWORK_KEY", key)
    return made_machine


def _give_script(machine: Machine, name: str, word: str, value: str) -> None:
    """Have the system run a script at its next start, with a word of it replaced."""
    texts = [(FILES / each).read_text() for each in ("once.sh", name)]
    machine.write("card-test.sh", "".join(texts).replace(word, value).encode())


def test_the_card_installs_itself_and_converts_after_a_reboot(machine: Machine, kind: str) -> None:
    facts = _first_boot(machine, kind)
    for expected in (
        "ActiveState=active", "SubState=running", "UnitFileState=enabled", "User=edge-vc",
        "voice-1", "(ann)", "ssh: enabled active", f"network: {NETWORK_FILES[kind]}", "* ",
    ):  # fmt: skip
        assert expected in facts
    assert "keys of ann: 1, ann 700 ann 600" in facts
    assert ("netplan takes it" in facts) == (kind != "systemd")
    # The signature was checked by an account with a name, on a system as it is delivered.
    assert "libnss_systemd" not in facts
    made = machine.read("once.txt").decode()

    said = speech()
    machine.write("speech.wav", wav(said))
    seconds = str(int(said.size / RATE) + 4)
    _give_script(machine, "second.sh", "SECONDS", seconds)
    machine.start(LIMIT_S)
    facts = machine.read("facts.txt").decode()
    journal = machine.read("journal.txt").decode()
    assert "ActiveState=active" in facts, journal[-3000:]
    assert "NRestarts=0" in facts, journal[-3000:]
    # Nothing is configured or installed a second time.
    assert "first boot: disabled inactive" in facts
    assert "ssh: enabled active" in facts
    assert "keys of ann: 1" in facts
    assert "voice-1" in facts
    assert machine.read("edge-vc-first-boot.log").count(b" installing ") == 1
    assert "/opt/edge-vc/.first-boot " in made
    assert machine.read("once.txt").decode() == made
    if kind == "cloudinit-rpi":  # its instance is the same one, so that its modules rest
        assert json.loads(machine.read("meta-data"))["instance-id"] in made.splitlines()
        assert "/sem/config_runcmd " in made
    told = likeness(samples(machine.read("heard.wav")), said, converted(said))
    line = f"{kind}: boots {[round(s) for s in machine.boots]} s, {told}"
    print(line)  # noqa: T201 - how long it took is worth knowing
    assert told.sound > 0.9
    assert told.change > 0.6


def _first_boot(machine: Machine, kind: str) -> str:
    """Start until the card has installed itself; return what the system then says of itself."""
    for _ in range(3 if kind == "systemd" else 1):  # firstrun.sh reboots
        console = machine.start(LIMIT_S)
        if "facts.txt" in machine.names():
            break
    status = machine.read("edge-vc-first-boot.status").decode()
    log = machine.read("edge-vc-first-boot.log").decode()
    assert status.startswith("done: "), f"{log}\n{console[-2000:]}"
    assert "firstrun.sh" not in machine.names()
    return machine.read("facts.txt").decode()
