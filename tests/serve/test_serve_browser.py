"""The page in a real browser whose microphone is a file: what is heard is the conversion."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
import soxr
from browser import Browser, running_browser
from numpy.lib.stride_tricks import sliding_window_view
from scipy.signal import stft

from edge_vc.assets import bundle_path
from edge_vc_runtime import Session, convert_array
from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.parameters import Parameters

pytestmark = pytest.mark.live
RATE = 16000
FLAGS = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
)
# Records what goes to the loudspeaker: it runs before the page's own scripts.
RECORDER = """
window.taken = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode && !(this instanceof ScriptProcessorNode)) {
    const tap = this.context.createScriptProcessor(4096, 1, 1);
    tap.onaudioprocess = (event) => window.taken.push(event.inputBuffer.getChannelData(0).slice());
    connect.call(this, tap);
    connect.call(tap, to);
    window.tap = tap;
  }
  return connect.call(this, to, ...rest);
};
window.blobs = new Map();
const address = URL.createObjectURL;
URL.createObjectURL = (blob) => {
  const url = address.call(URL, blob);
  window.blobs.set(url, blob);
  return url;
};
window.bytes = async (blob) => {
  const data = new Uint8Array(await blob.arrayBuffer());
  let text = "";
  for (let at = 0; at < data.length; at += 8192) {
    text += String.fromCharCode(...data.subarray(at, at + 8192));
  }
  return btoa(text);
};
"""


@pytest.fixture(scope="module")
def microphone(arctic: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of speech and half a second of silence, which the browser repeats."""
    path = tmp_path_factory.mktemp("microphone") / "speech.wav"
    audio = np.pad(soxr.resample(arctic, RATE, 48000), (0, 24000))
    soundfile.write(path, audio, 48000, subtype="PCM_16")
    return path


@contextmanager
def serving(port: int = 0) -> Iterator[str]:
    command = [sys.executable, "-m", "edge_vc", "serve", "kathleen-base", "kathleen-nano"]
    command += ["--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield re.findall(r"http://\S+", process.stdout.readline())[0]
        finally:
            process.kill()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture(scope="module")
def page(
    address: str, microphone: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    flags = [*FLAGS, f"--use-file-for-fake-audio-capture={microphone}"]
    with running_browser(tmp_path_factory.mktemp("profile"), flags) as browser:
        browser.call("Page.addScriptToEvaluateOnNewDocument", source=RECORDER)
        browser.open(address)
        browser.wait("document.getElementById('set-gate') !== null")
        yield browser


def click(page: Browser, name: str) -> None:
    page.run(f"document.getElementById('{name}').click()")


def untick(page: Browser, *names: str) -> None:
    for name in names:
        page.run(f"(box => box.checked && box.click())(document.getElementById('{name}'))")


def features(audio: np.ndarray) -> np.ndarray:
    """Log energies in bands of 125 Hz, ``[60, T]`` every 10 ms: content without phase."""
    power = np.abs(stft(audio, RATE, nperseg=512, noverlap=352)[2]) ** 2
    return np.log(power[2:242].reshape(60, 4, -1).sum(1) + 1e-7)


def likeness(part: np.ndarray, whole: np.ndarray) -> tuple[float, int]:
    """Best correlation of features ``[60, n]`` along ``[60, T]`` and where it is."""
    windows = sliding_window_view(whole, part.shape[1], axis=1).swapaxes(0, 1)
    part = part - part.mean()
    fits = np.empty(len(windows))
    for at, window in enumerate(windows):
        window = window - window.mean()
        size = np.sqrt((part * part).sum() * (window * window).sum())
        fits[at] = (part * window).sum() / (size + 1e-9)  # silence is like nothing
    return float(fits.max()), int(fits.argmax())


def taken(page: Browser, seconds: float) -> np.ndarray:
    """What the loudspeaker got from now on, at 16 kHz."""
    page.run("window.taken.length = 0")
    page.wait(f"window.taken.length * 4096 > {seconds} * window.tap.context.sampleRate")
    rate = page.run("window.tap.context.sampleRate")
    data = base64.b64decode(page.run("window.bytes(new Blob(window.taken))"))
    return np.asarray(soxr.resample(np.frombuffer(data, "<f4"), rate, RATE), np.float32)


def repeated(microphone: Path) -> np.ndarray:
    audio, rate = soundfile.read(microphone, dtype="float32")
    return np.tile(soxr.resample(audio, rate, RATE), 2).astype(np.float32)


@pytest.mark.timeout(180)
def test_the_microphone_is_converted_and_bypassed(page: Browser, microphone: Path) -> None:
    """Half-second pieces of both candidates are looked for in what was played.

    Frames that a busy machine drops cost a piece; most of them have to be there, and to be the
    conversion, not the recording that went in.
    """
    spoken = repeated(microphone)
    values = Parameters({"gate": 0, "level_follow": 0})
    converted = convert_array(Chain(Session.open(bundle_path("kathleen-base")), values), spoken)
    pieces = [slice(at, at + 50) for at in range(460, 810, 50)]  # of the second repetition
    untick(page, "echoCancellation", "noiseSuppression", "autoGainControl")
    untick(page, "set-gate", "set-level_follow")
    click(page, "start")
    page.wait("document.getElementById('total').innerText.includes('ms')")
    played = features(taken(page, 10))
    as_made = [likeness(features(converted)[:, piece], played)[0] for piece in pieces]
    as_spoken = [likeness(features(spoken)[:, piece], played)[0] for piece in pieces]
    assert np.median(as_made) > 0.95
    assert np.median(as_made) > np.median(as_spoken) + 0.03

    page.run("window.dispatchEvent(new KeyboardEvent('keydown', {key: 'b', bubbles: true}))")
    played = features(taken(page, 6))
    as_spoken = [likeness(features(spoken)[:, piece], played)[0] for piece in pieces]
    as_made = [likeness(features(converted)[:, piece], played)[0] for piece in pieces]
    assert np.median(as_spoken) > 0.97
    assert np.median(as_spoken) > np.median(as_made) + 0.03
    page.run("window.dispatchEvent(new KeyboardEvent('keyup', {key: 'b', bubbles: true}))")

    budget = page.run("document.getElementById('budget').innerText")
    for line in ("Microphone", "Network", "Compute", "Playback buffer", "Total", "measured"):
        assert line in budget
    click(page, "start")
    assert page.run("document.getElementById('message').textContent") == ""


@pytest.mark.timeout(120)
def test_a_dropped_file_is_converted(page: Browser, microphone: Path) -> None:
    untick(page, "set-gate", "set-level_follow")
    document = page.call("DOM.getDocument")["root"]["nodeId"]
    field = page.call("DOM.querySelector", nodeId=document, selector="#file")["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=field, files=[str(microphone)])
    page.wait("!document.getElementById('transport').hidden", 60)
    link = "document.getElementById('download')"
    assert page.run(f"{link}.download") == "speech-kathleen-base.wav"
    data = base64.b64decode(page.run(f"window.bytes(window.blobs.get({link}.href))"))
    got = np.frombuffer(data[44:], "<i2") / 32768
    audio, rate = soundfile.read(microphone, dtype="float32")
    assert got.size == audio.size
    spoken = soxr.resample(audio, rate, RATE)
    wanted = convert_array(Chain(Session.open(bundle_path("kathleen-base"))), spoken)
    like, at = likeness(features(wanted)[:, 20:300], features(soxr.resample(got, rate, RATE)))
    assert like > 0.99
    assert at == 20  # time-aligned
    click(page, "hear-original")
    assert (
        page.run("document.getElementById('hear-original').getAttribute('aria-checked')") == "true"
    )
    click(page, "play")
    page.wait("document.getElementById('audio').currentTime > 0.2")


def test_the_page_fits_a_phone_and_asks_nobody_else(page: Browser, address: str) -> None:
    for dark in (False, True):
        page.open(address, width=390, dark=dark)
        page.wait("document.getElementById('set-gate') !== null")
        assert page.run("document.documentElement.scrollWidth") <= 390
    unnamed = page.run(
        "[...document.querySelectorAll('button, select, input, meter, a, canvas')].filter(each =>"
        " !(each.labels && each.labels.length) && !each.textContent.trim()"
        " && !each.getAttribute('aria-label')).map(each => each.outerHTML)"
    )
    assert unnamed == []
    wanted = ("ws", "blob:", "data:", address)
    assert all(url.startswith(wanted) for url in page.requests)
    complaints = [each for each in page.complaints if "ScriptProcessorNode" not in each]
    assert complaints == []


@pytest.mark.timeout(120)
def test_the_page_comes_back_to_a_server_that_does(page: Browser) -> None:
    with serving() as url:
        page.open(url)
        page.wait("document.getElementById('set-gate') !== null")
        click(page, "start")
        page.wait("document.getElementById('total').innerText.includes('ms')")
    page.wait("document.getElementById('message').textContent.includes('trying again')")
    with serving(urlsplit(url).port or 0):
        page.wait("document.getElementById('total').innerText.includes('ms')")
        assert page.run("document.getElementById('message').textContent") == ""


@pytest.mark.timeout(60)
def test_without_a_microphone_the_page_says_why(address: str, tmp_path: Path) -> None:
    with running_browser(tmp_path) as browser:
        browser.open(address)
        browser.wait("document.getElementById('set-gate') !== null")
        click(browser, "start")
        browser.wait("!document.getElementById('message').hidden")
        told = browser.run("document.getElementById('message').textContent")
        assert "not allowed" in told or "No microphone" in told
        assert browser.run("document.getElementById('start').textContent") == "Start"
