"""A real SSH server on loopback that leads to this machine, with a home folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/id.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv HOME={folder}/home PATH={folder}/bin:/usr/bin:/bin
"""


class LoopbackServer:
    """``sshd`` on a random port, its host key in a ``known_hosts`` of its own."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin")
        if program is None:
            pytest.skip("no sshd: apt install openssh-server")
        self.folder = folder
        for name in ("home", "bin"):
            (folder / name).mkdir()
        for name in ("host", "id", "other"):
            new_key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(new_key, check=True)
        self.port = _free_port()
        self.know("host")
        config = folder / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, folder=folder))
        Path("/run/sshd").mkdir(exist_ok=True)
        self._log = (folder / "sshd.log").open("wb")
        self._server = subprocess.Popen([program, "-D", "-e", "-f", str(config)], stderr=self._log)
        self._wait()

    def know(self, key: str) -> None:
        """Write a host key into ``known_hosts``."""
        kind, public, *_ = (self.folder / f"{key}.pub").read_text().split()
        (self.folder / "known").write_text(f"[127.0.0.1]:{self.port} {kind} {public}\n")

    def words(self) -> list[str]:
        """Return how `edge-vc flash` gets there."""
        options = (f"UserKnownHostsFile={self.folder}/known", "IdentitiesOnly=yes")
        words = ["--to", "root@127.0.0.1", "--port", str(self.port)]
        words += ["--identity", str(self.folder / "id")]
        return words + [word for option in options for word in ("--ssh-option", option)]

    def tool(self, name: str, text: str) -> Path:
        """Put a command before the machine's own."""
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def cut(self) -> None:
        """Kill the processes that serve the connections."""
        path = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children")
        for child in path.read_text().split():
            _kill_tree(int(child))

    def close(self) -> None:
        self.cut()
        self._server.terminate()
        self._server.wait(10)
        self._log.close()

    def _wait(self) -> None:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            if self._server.poll() is not None:
                break
            time.sleep(0.1)
        self._log.close()
        pytest.skip(f"sshd does not start: {(self.folder / 'sshd.log').read_text()[-300:]}")


def _kill_tree(process: int) -> None:
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        os.kill(process, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return
    for child in children:
        _kill_tree(int(child))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
