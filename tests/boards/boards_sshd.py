"""A real SSH server on loopback that leads to this machine, with a home folder of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from boards_served import children, kill_hard

from edge_vc_boards.flash.ssh import SshTarget

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
AcceptEnv LD_PRELOAD
Subsystem sftp internal-sftp
SetEnv HOME={folder}/home PATH={folder}/bin:/usr/bin:/bin
"""


class LoopbackServer:
    """``sshd`` on a random port: this machine as a `ServedBoard`."""

    profile = "x86-64"
    slow = 1.0

    def __init__(self, folder: Path) -> None:
        program = shutil.which("sshd", path="/usr/sbin:/sbin:/usr/bin")
        if program is None:
            pytest.skip("no sshd: apt install openssh-server")
        self.folder = folder
        for name in ("home", "bin", "places"):
            (folder / name).mkdir()
        for name in ("host", "id", "other"):
            new_key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(new_key, check=True)
        self.port = _free_port()
        self.know("host")
        Path("/run/sshd").mkdir(exist_ok=True)
        self._log = (folder / "sshd.log").open("wb")
        self._server = subprocess.Popen(self._command(program), stderr=self._log)
        self._wait()

    @property
    def python(self) -> str:
        word = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
        done = subprocess.run(["/usr/bin/python3", "-c", word], capture_output=True, text=True)
        if done.returncode:
            pytest.skip("no /usr/bin/python3 with venv: apt install python3-venv")
        return done.stdout.strip()

    def target(self) -> SshTarget:
        options = (f"UserKnownHostsFile={self.folder}/known", "IdentitiesOnly=yes")
        return SshTarget("root@127.0.0.1", self.port, self.folder / "id", options)

    def here(self, path: Path) -> Path:
        return path

    def place(self) -> Path:
        return Path(tempfile.mkdtemp(dir=self.folder / "places"))

    def know(self, key: str) -> None:
        line = ""
        if key != "none":
            kind, public, *_ = (self.folder / f"{key}.pub").read_text().split()
            line = f"[127.0.0.1]:{self.port} {kind} {public}\n"
        (self.folder / "known").write_text(line)

    def stranger(self) -> Path:
        return self.folder / "other"

    def tool(self, name: str, text: str) -> Path:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def processes(self) -> dict[int, str]:
        return children(self._server.pid)

    def cut(self) -> None:
        kill_hard(list(self.processes()))

    def close(self) -> None:
        self.cut()
        self._server.terminate()
        self._server.wait(10)
        self._log.close()

    def _command(self, program: str) -> list[str]:
        """Write the server's configuration; return what starts it."""
        config = self.folder / "sshd_config"
        config.write_text(_CONFIG.format(port=self.port, folder=self.folder))
        return [program, "-D", "-e", "-f", str(config)]

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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
