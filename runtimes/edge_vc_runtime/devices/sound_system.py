"""The sound servers running here, their owners, and what to do if none can be used."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.devices.cards import sound_cards
from edge_vc_runtime.message import one_line

SERVERS = ("pipewire", "pipewire-pulse", "wireplumber", "pulseaudio", "jackd", "jackdbus")
"""Programs that share a card with others."""
_SOCKETS = {"PipeWire": "pipewire-0", "PulseAudio": "pulse/native"}


@dataclass(frozen=True)
class SoundServer:
    """A sound server of a user's session."""

    name: str
    uid: int

    @property
    def user(self) -> str:
        """The owner's name, or the user ID if it has none."""
        try:
            return one_line(pwd.getpwuid(self.uid).pw_name)
        except KeyError:
            return str(self.uid)


def session_servers(root: Path = Path("/")) -> tuple[SoundServer, ...]:
    """Return the sound servers of all users' sessions, PipeWire before PulseAudio's socket."""
    found = []
    for folder in sorted((root / "run/user").glob("[0-9]*")):
        for name, socket in _SOCKETS.items():
            if _exists(folder / socket):
                found.append(SoundServer(name, int(folder.name)))
                break
    return tuple(found)


def explain_no_server(root: Path = Path("/"), uid: int | None = None) -> str:
    """Return why no sound server is reachable and what to do, in one line; empty if one is.

    A server belongs to a user's session: neither root nor another user can use it.
    """
    uid = os.getuid() if uid is None else uid
    servers = session_servers(root)
    if any(server.uid == uid for server in servers) or os.environ.get("PULSE_SERVER"):
        return ""
    direct = _direct(root)
    if servers:
        owner = servers[0]
        who = "root" if uid == 0 else f"user {SoundServer('', uid).user}"
        return (
            f"{owner.name} runs in the session of {owner.user} and {who} cannot use it: run as "
            f"{owner.user} (a service: systemctl --user, and once sudo loginctl enable-linger "
            f"{owner.user}), or use a card directly{direct}"
        )
    if direct:
        return f"no sound server runs: use a card directly{direct}"
    return (
        "no sound server runs and the kernel has no sound card: plug one in, or load its driver "
        "(cat /proc/asound/cards)"
    )


def foreign_server_notice(root: Path = Path("/"), uid: int | None = None) -> str:
    """Return what to do about a sound server that only its owner can use; empty without one."""
    return explain_no_server(root, uid) if session_servers(root) else ""


def explain_no_device(root: Path = Path("/"), uid: int | None = None) -> str:
    """Return why a back end finds no device and what to do, in one line."""
    folder = root / "dev/snd"
    nodes = [*folder.glob("pcm*")] if _exists(folder) else []
    if nodes and not any(os.access(node, os.R_OK | os.W_OK) for node in nodes):
        return (
            f"no permission for {folder}: sudo usermod -aG audio $USER, then log out and in again"
        )
    where = os.environ.get("PULSE_SERVER")
    if where:
        return f"no sound server answers at PULSE_SERVER={one_line(where):.100}"
    return explain_no_server(root, uid) or (
        "a sound server runs, and no ALSA device leads to it: apt install libasound2-plugins (or "
        "pipewire-alsa)"
    )


def _direct(root: Path) -> str:
    keys = [
        card.key(number)
        for card in sound_cards(root)
        for number in dict.fromkeys((*card.inputs, *card.outputs))
    ]
    return f", by its name: {', '.join(keys[:4])}" if keys else ""


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # another user's folder
        return False
