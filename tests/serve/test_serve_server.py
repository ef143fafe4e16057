"""The real server on a real port: what it prints, whom it cuts off, how it stops."""

from __future__ import annotations

import http.client
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from serve_client import frame, start
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from edge_vc.serve import cli
from edge_vc.serve.options import ServeOptions
from edge_vc.serve.protocol import MAX_MESSAGE
from edge_vc.serve.server import check_certificate, open_socket
from edge_vc.serve.voices import ServeError

SILENCE = np.zeros(480, np.float32)


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "edge_vc", "serve", "kathleen-nano", "--port", "0", *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield process, re.findall(r"https?://\S+", line)[0]
        finally:
            process.kill()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a server with the defaults."""
    with serving() as (_, url):
        yield url.rstrip("/")


@contextmanager
def page(address: str, **options: Any) -> Iterator[Any]:
    with connect(f"ws{address[4:]}/live", origin=address, compression=None, **options) as socket:
        socket.send(start())
        yield socket


def audio_of(socket: Any, count: int) -> int:
    """Send frames and return how many samples came back, at least one for each but the first."""
    samples = 0
    for number in range(count):
        socket.send(frame(number, SILENCE))
        while number > 2:
            message = socket.recv(10)
            if isinstance(message, bytes):
                samples += (len(message) - 16) // 2
                break
    return samples


def test_a_page_that_never_reads_does_not_stop_another(address: str) -> None:
    with page(address, max_queue=1, close_timeout=0.1) as deaf, page(address) as other:
        for number in range(300):
            deaf.send(frame(number, SILENCE))
        assert audio_of(other, 40) >= 30 * 480


def test_oversize_and_other_origins_are_cut_off(address: str) -> None:
    with page(address) as socket:
        socket.send(bytes(MAX_MESSAGE + 1))
        with pytest.raises(ConnectionClosed) as closed:
            audio_of(socket, 100)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws{address[4:]}/live", origin="http://evil.example")


def test_a_large_upload_is_cut_off(address: str) -> None:
    host = urlsplit(address).netloc
    with closing(http.client.HTTPConnection(host, timeout=20)) as upload:
        upload.putrequest("POST", "/convert")
        upload.putheader("Content-Length", "100000000000")
        upload.endheaders()
        answer = upload.getresponse()
        assert answer.status == 413
        assert b"100 MB" in answer.read()


def test_ctrl_c_stops_it_while_pages_are_connected() -> None:
    with serving("--host", "0.0.0.0") as (process, url):
        parts = urlsplit(url)
        token = parts.query.partition("=")[2]
        local = f"127.0.0.1:{parts.port}"
        with closing(http.client.HTTPConnection(local, timeout=20)) as asked:
            asked.request("GET", f"/?{parts.query}")
            cookie = asked.getresponse().getheader("set-cookie")
        assert cookie is not None
        headers = {"cookie": cookie.partition(";")[0]}
        with (
            closing(http.client.HTTPConnection(local, timeout=20)) as stalled,
            page(f"http://{local}", additional_headers=headers) as live,
        ):
            stalled.putrequest("POST", "/convert")
            for name, value in (headers | {"content-length": "1000"}).items():
                stalled.putheader(name, value)
            stalled.endheaders(b"RIFF")
            live.send(frame(0, SILENCE))
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.splitlines()[-1] == "edge-vc serve: interrupted"
    assert "no microphone over plain http" in err
    assert token not in out + err  # the line with the address was read before


def test_https_with_a_certificate(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl here")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True
    )
    with pytest.raises(ServeError, match="no usable pair"):
        check_certificate(ServeOptions(cert=key, key=cert))
    with pytest.raises(ServeError, match="belong together"):
        check_certificate(ServeOptions(cert=cert))
    with serving("--cert", str(cert), "--key", str(key)) as (_, url):
        port = urlsplit(url).port
        context = ssl.create_default_context(cafile=str(cert))
        with closing(
            http.client.HTTPSConnection("localhost", port, context=context, timeout=20)
        ) as secure:
            secure.request("GET", "/facts")
            assert secure.getresponse().status == 200
        address = f"https://localhost:{port}"
        with connect(
            f"wss://localhost:{port}/live", origin=address, ssl=context, compression=None
        ) as live:
            live.send(start())
            assert audio_of(live, 10) > 0


def test_a_busy_port_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServeError, match=f"port {port} .*--port 0"):
            open_socket(ServeOptions(port=port))
    for host in ("no.such.host.invalid", "192.0.2.1"):
        with pytest.raises(ServeError, match="--host"):
            open_socket(ServeOptions(host=host))


def test_a_missing_extra_names_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = CliRunner().invoke(cli.app, ["kathleen-nano", "--port", "0"])
    assert done.exit_code == 2
    assert "pip install 'edge-vc[serve]'" in done.stderr
    assert done.stderr.count("\n") == 1
