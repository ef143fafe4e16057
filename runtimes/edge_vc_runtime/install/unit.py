"""The systemd unit that runs the current release, always restarted and tightly sandboxed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.install.error import InstallError
from edge_vc_runtime.install.layout import BUNDLE_NAME, DEFAULT_ROOT

UNIT_NAME = "edge-vc.service"
SERVICE_USER = "edge-vc"
"""The account that `edge-vc flash` creates for the service, on boards and on cards."""
_UNIT = """\
[Unit]
Description=Edge VC voice conversion
After=sound.target
ConditionPathExists={bundle}
StartLimitIntervalSec=0

[Service]
ExecStart={command}
Restart=always
RestartSec=2
TimeoutStopSec=10
# How `run` ends when it is stopped: no failure.
SuccessExitStatus=130 143
User={user}
SupplementaryGroups=audio
StateDirectory=edge-vc
RuntimeDirectory=edge-vc
# Sound libraries look for a home folder; the service's user has none.
Environment=HOME=/var/lib/edge-vc XDG_STATE_HOME=/var/lib/edge-vc PYTHONUNBUFFERED=1

# One thread asks for SCHED_FIFO by itself; the whole process at FIFO would be throttled.
LimitRTPRIO={rt_priority}
LimitMEMLOCK={memlock_mb}M

NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
LockPersonality=yes
SystemCallArchitectures=native
CapabilityBoundingSet=
DevicePolicy=closed
DeviceAllow=char-alsa rw
# The firmware of a Raspberry Pi, for vcgencmd.
DeviceAllow=/dev/vcio rw

[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class ServiceUnit:
    """The parameters of the unit."""

    root: Path = DEFAULT_ROOT
    program: Path = DEFAULT_ROOT / "venv" / "bin" / "edge-vc-rt"
    arguments: Sequence[str] = ()
    """Arguments of ``run`` after the bundle, each passed on unchanged."""
    user: str = SERVICE_USER
    """An account with a name: without one, ``ssh-keygen`` verifies no signatures."""
    rt_priority: int = 49
    """Highest real-time priority, 1 to 49: at 50 it would compete with the sound card."""
    memlock_mb: int = 512
    """Memory that may be locked, in MB."""

    def text(self) -> str:
        """Return the unit file; raises `InstallError` for a value that is not possible in one."""
        if not 1 <= self.rt_priority <= 49:
            raise InstallError(f"rt_priority is {self.rt_priority}, it has to be 1 to 49")
        if not re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", self.user):
            raise InstallError(f"user is {self.user!r:.60}, which is not a valid user name")
        bundle = self.root / "current" / BUNDLE_NAME
        for path in (self.program, bundle):
            if not re.fullmatch(r"/[\w./+-]+", str(path)):
                raise InstallError(f"{str(path)!r:.100}: has to be absolute, of plain characters")
        words = [str(self.program), "run", str(bundle), *map(quoted, self.arguments)]
        return _UNIT.format(
            bundle=bundle,
            command=" ".join(words),
            user=self.user,
            rt_priority=self.rt_priority,
            memlock_mb=self.memlock_mb,
        )


def quoted(word: str) -> str:
    """Return a word quoted for ``ExecStart``; raises `InstallError` if that is not possible."""
    if not word.isprintable():
        raise InstallError(f"{word!r:.100}: has characters that a unit cannot hold")
    if re.fullmatch(r"[\w@:,./=+-]+", word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'
