"""A headless Chromium, spoken to over the DevTools protocol on two pipes; no driver, no port."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--mute-audio", "--remote-debugging-pipe",
)  # fmt: skip
TIMEOUT = 60.0


class Browser:
    """One page in a browser; what it logs, throws and asks the network for is kept."""

    def __init__(self, process: subprocess.Popen[bytes], reader: int, writer: int) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self._buffer, self._number, self._session = b"", 0, ""
        self.complaints: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Send a command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def open(
        self, page: Path | str, width: int = 1200, height: int = 900, dark: bool = False
    ) -> None:
        """Load a file or an address at a width in CSS pixels and wait until it is there."""
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=2 if phone else 1, mobile=phone)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        address = page if isinstance(page, str) else page.resolve().as_uri()
        self.call("Page.navigate", url=address)
        self.wait(f"document.readyState + location.protocol === 'complete{address.split('//')[0]}'")

    def wait(self, condition: str, seconds: float = TIMEOUT) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + seconds
        while not self.run(condition):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{condition} was not true in {seconds} s")
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        """Return what an expression, or the promise that it is, comes to."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def screenshot(self, path: Path, whole: bool = False) -> Path:
        """Write what is seen as PNG."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def _receive(self) -> Any:
        while b"\0" not in self._buffer:
            if not select.select([self._reader], [], [], TIMEOUT)[0]:
                raise TimeoutError(f"the browser said nothing for {TIMEOUT} s")
            piece = os.read(self._reader, 1 << 20)
            if not piece:
                raise RuntimeError(f"the browser ended: {self._process.poll()}")
            self._buffer += piece
        line, self._buffer = self._buffer.split(b"\0", 1)
        message = json.loads(line)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, facts: Any) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(facts["exceptionDetails"])[:300])
        elif method == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning"):
            self.complaints.append(str(facts["args"])[:300])
        elif method == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
            self.complaints.append(str(facts["entry"])[:300])
        elif method == "Network.requestWillBeSent":
            self.requests.append(str(facts["request"]["url"])[:100])


@contextlib.contextmanager
def running_browser(profile: Path, flags: Sequence[str] = ()) -> Iterator[Browser]:
    """Start a browser with a profile of its own; skip the test where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    # 3 and 4 are what the browser reads and writes: keep the pipes' own numbers out of the way.
    high_in, high_out = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (theirs_in, theirs_out))

    def move() -> None:
        os.dup2(high_in, 3)
        os.dup2(high_out, 4)

    with (profile / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [program, *FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=move, pass_fds=(3, 4), stdout=log, stderr=log,
        )  # fmt: skip
    for fd in (theirs_in, theirs_out, high_in, high_out):
        os.close(fd)
    try:
        yield Browser(process, ours_in, ours_out)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(ours_in)
        os.close(ours_out)
