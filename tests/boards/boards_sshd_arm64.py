"""A Debian for arm64 behind its own SSH server, as a Raspberry Pi 4: `ServedBoard`.

Its ``sshd``, shell, Python and the installed wheels are programs for arm64, which QEMU translates;
kernel, network and disk are this machine's. It is some twenty times slower than a real board.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from boards_debian import debian, emulate_programs, require_tools, run
from boards_sshd import LoopbackServer

from edge_vc_boards.emulation.fake_proc import HOST_PROC, write_fake_proc
from edge_vc_boards.profile_folder import load_board

_INSIDE = Path("/srv/ssh")
# Without QEMU_CPU it is a core that no board has, and its kernels miss the golden recordings.
_CONFIG = f"""\
ListenAddress 127.0.0.1
HostKey {_INSIDE}/host
AuthorizedKeysFile {_INSIDE}/id.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
AcceptEnv LD_PRELOAD
SetEnv HOME={_INSIDE}/home PATH={_INSIDE}/bin:/usr/bin:/bin:/usr/sbin:/sbin QEMU_CPU={{cpu}}
"""


class Arm64Server(LoopbackServer):
    """``sshd`` for arm64 in a Debian of its own; what tests change lies in an overlay."""

    profile = "pi4"
    slow = 20.0

    def __init__(self, folder: Path) -> None:
        require_tools()
        emulate_programs()
        lower = debian("bookworm")
        self.root = folder / "root"
        self._mounts: list[Path] = []
        for name in ("root", "upper", "work", "fake"):
            (folder / name).mkdir()
        layers = f"lowerdir={lower},upperdir={folder / 'upper'},workdir={folder / 'work'}"
        try:
            self._mount(self.root, "-t", "overlay", "-o", layers, "overlay")
        except AssertionError as error:
            pytest.skip(f"no overlay can be mounted here: {error}")
        try:
            self._dress(folder / "fake")
            super().__init__(self.root / _INSIDE.relative_to("/"))
        except BaseException:
            self._unmount()
            raise

    @property
    def python(self) -> str:
        return "3.11"

    def here(self, path: Path) -> Path:
        return self.root / path.relative_to("/")

    def place(self) -> Path:
        made = tempfile.mkdtemp(dir=self.folder / "places")
        return _INSIDE / "places" / Path(made).name

    def close(self) -> None:
        super().close()
        self._unmount()

    def _command(self, program: str) -> list[str]:
        _, emulation = load_board(self.profile).processor()
        config = _CONFIG.format(cpu=emulation.cpu)
        (self.folder / "sshd_config").write_text(f"Port {self.port}\n{config}")
        server = ["/usr/sbin/sshd", "-D", "-e", "-f", f"{_INSIDE}/sshd_config"]
        return ["chroot", str(self.root), *server]

    def _dress(self, fake: Path) -> None:
        """Mount what a Raspberry Pi 4 shows of itself, and the kernel's own beside it."""
        write_fake_proc(load_board(self.profile), fake)
        for name in (HOST_PROC, "/proc", "/sys", "/dev", "/run/sshd", str(_INSIDE)):
            self.here(Path(name)).mkdir(parents=True, exist_ok=True)
        self._mount(self.here(Path(HOST_PROC)), "-t", "proc", "proc")
        for name in ("proc", "sys"):
            self._mount(self.root / name, "--bind", str(fake / name))
        self._mount(self.root / "dev", "-t", "tmpfs", "tmpfs")
        for name in ("null", "zero", "full", "random", "urandom"):
            (self.root / "dev" / name).touch()
            self._mount(self.root / "dev" / name, "--bind", f"/dev/{name}")
        (self.root / "dev/fd").symlink_to("/proc/self/fd")

    def _mount(self, place: Path, *words: str) -> None:
        run("mount", *words, str(place))
        self._mounts.append(place)

    def _unmount(self) -> None:
        for place in reversed(self._mounts):
            run("umount", "--lazy", str(place))
        self._mounts.clear()
