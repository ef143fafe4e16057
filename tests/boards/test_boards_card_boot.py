"""Cards of all three formats, booted: they install themselves, and convert what they hear.

`make test-cards` runs these, in many minutes: QEMU translates every instruction. The systems are
stand-ins made of Debian (`boards_debian` says what is simulated). Sound goes through ALSA's
loopback; the guest's clock follows its instructions, so that audio is in real time for it. Nothing
here says how fast a board is.
"""

from __future__ import annotations

import io
import os
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from boards_card_image import FILES, SUITES, write_stock_image
from boards_card_machine import Machine
from boards_debian import cache, require_tools
from boards_flash import flash, new_pair
from numpy.typing import NDArray

from edge_vc.assets import bundle_path
from edge_vc_boards.board import BoardError
from edge_vc_boards.profile_folder import load_board
from edge_vc_boards.wheels.collect import collect_wheels
from edge_vc_boards.wheels.requirements import wheel_set
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.session import Session

pytestmark = [pytest.mark.cards, pytest.mark.timeout(4 * 3600)]
LIMIT_S = float(os.environ.get("EDGE_VC_CARDS_LIMIT_S", "5400"))
"""Of one boot."""
RATE = 16000
CARD = "plughw:CARD=Loopback,DEV=1"
Audio = NDArray[np.float64]


@pytest.fixture(scope="module", params=list(SUITES))
def kind(request: pytest.FixtureRequest) -> str:
    require_tools()
    return str(request.param)


@pytest.fixture(scope="module")
def wheels(kind: str) -> Path:
    suite = SUITES[kind]
    folder = cache() / f"wheels-{suite}"
    if not (folder / "requirements.txt").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
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
    made = flash(*words, "--", "--input", CARD, "--output", CARD)
    assert made.exit_code == 0, made.stderr
    assert kind in made.stdout + made.stderr
    stock.unlink()
    made_machine = Machine(card, folder)
    made_machine.write("card-test.sh", (FILES / "first.sh").read_bytes())
    return made_machine


def test_the_card_installs_itself_and_converts_after_a_reboot(machine: Machine, kind: str) -> None:
    for _ in range(3 if kind == "systemd" else 1):  # firstrun.sh reboots
        console = machine.start(LIMIT_S)
        if "edge-vc-first-boot.status" in machine.names():
            break
    status = machine.read("edge-vc-first-boot.status").decode()
    log = machine.read("edge-vc-first-boot.log").decode()
    assert status.startswith("done: "), f"{log}\n{console[-2000:]}"
    facts = machine.read("facts.txt").decode()
    for expected in ("ActiveState=active", "UnitFileState=enabled", "voice-1", "(ann)", "* "):
        assert expected in facts
    assert "ssh-ed25519" in facts
    assert "firstrun.sh" not in machine.names()

    speech = _speech()
    machine.write("speech.wav", _wav(speech))
    seconds = str(int(speech.size / RATE) + 4)
    script = (FILES / "second.sh").read_text().replace("SECONDS", seconds)
    machine.write("card-test.sh", script.encode())
    machine.start(LIMIT_S)
    facts = machine.read("facts.txt").decode()
    assert "ActiveState=active" in facts
    assert "NRestarts=0" in facts, machine.read("journal.txt").decode()[-3000:]
    heard = _samples(machine.read("heard.wav"))
    same = _likeness(heard, _converted(speech))
    line = f"{kind}: boots {[round(s) for s in machine.boots]} s, likeness {same:.2f}"
    print(line)  # noqa: T201 - how long it took is worth knowing
    assert same > 0.8
    assert same > _likeness(heard, speech) + 0.1


def _speech() -> Audio:
    """Return a few seconds of the bundle's own recording, with silence behind."""
    golden = read_bundle(bundle_path("kathleen-base")).golden()["input"].astype(np.float64)
    return np.concatenate(
        [np.tile(golden, 1 + 4 * RATE // golden.size)[: 4 * RATE], np.zeros(RATE)]
    )


def _converted(speech: Audio) -> Audio:
    session = Session.open(read_bundle(bundle_path("kathleen-base")), "litert")
    hops = speech.astype(np.float32)[: speech.size // session.hop * session.hop]
    done = [session.step(hop).copy() for hop in hops.reshape(-1, session.hop)]
    return np.concatenate(done).astype(np.float64)


def _likeness(heard: Audio, wanted: Audio) -> float:
    """Return the correlation of log spectra at the best delay, 1 for the same sound."""
    one, other = _spectrum(heard), _spectrum(wanted)
    other = (other - other.mean()) / other.std()
    best = -1.0
    for lag in range(max(1, len(one) - len(other))):
        part = one[lag : lag + len(other)]
        if part.std() > 0:
            best = max(best, float(((part - part.mean()) / part.std() * other).mean()))
    return best


def _spectrum(audio: Audio) -> Audio:
    """Return log magnitudes ``[frames, bands]`` of 40 bands, 10 ms apart."""
    frames = np.lib.stride_tricks.sliding_window_view(audio, 512)[::160] * np.hanning(512)
    power = np.abs(np.fft.rfft(frames))[:, 1:241] ** 2
    return np.asarray(np.log10(power.reshape(len(frames), 40, 6).mean(2) + 1e-4))


def _wav(audio: Audio) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def _samples(data: bytes) -> Audio:
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768.0
