"""Settings that a card's system gets on its first boot: user, host, network, language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.wifi import WifiNetwork

_RESERVED = {"root", "daemon", "bin", "sys", "nobody", "rpi-first-boot-wizard", "edge-vc"}
_PATTERNS = {
    "user": (r"[a-z_][a-z0-9_-]{0,30}", "a small letter, then up to 30 of a-z, 0-9, _ and -"),
    "hostname": (r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", "letters, digits and - inside"),
    "timezone": (r"[A-Za-z][A-Za-z0-9+_-]{0,40}(/[A-Za-z0-9+_-]{1,40}){0,2}", "as Europe/Berlin"),
    "locale": (r"[a-z]{2,3}_[A-Z]{2}(\.UTF-8)", "as de_DE.UTF-8"),
    "keyboard": (r"[a-z]{2,10}", "as de"),
}
_KEY = r"(?:ssh|ecdsa|sk)-[a-z0-9@.-]{1,60} [A-Za-z0-9+/]{16,4000}={0,3}(?: [!-~ ]{0,200})?"


@dataclass(frozen=True)
class CardSettings:
    """The settings of one card; empty texts keep the image's own setting."""

    user: str
    password_hash: str
    """As in ``/etc/shadow``; empty locks the password and requires a key."""
    ssh_keys: tuple[str, ...] = ()
    """Public keys in OpenSSH's format."""
    hostname: str = ""
    timezone: str = ""
    locale: str = ""
    keyboard: str = ""
    wifi: WifiNetwork | None = None
    instance: str = ""
    """Distinguishes cards with the same content."""

    def __post_init__(self) -> None:
        """Reject values that the card's system would not accept; raises `CardError`."""
        for name, (pattern, form) in _PATTERNS.items():
            value = getattr(self, name)
            if (value or name == "user") and not re.fullmatch(pattern, value):
                raise CardError(f"--{name} {value!r:.60}: has to be {form}")
        if not _is_zone(self.timezone):
            raise CardError(f"--timezone {self.timezone}: no such zone; timedatectl list-timezones")
        if self.user in _RESERVED:
            raise CardError(f"--user {self.user}: is an account of the system, choose another name")
        for key in self.ssh_keys:
            if not re.fullmatch(_KEY, key):
                raise CardError(f"{key!r:.60} is not a public key of OpenSSH (KEY.pub)")
        if not self.password_hash and not self.ssh_keys:
            raise CardError("nobody would be able to log in: give --password-file or --ssh-key")
        if not re.fullmatch(r"[A-Za-z0-9._-]{0,60}", self.instance):
            raise CardError(f"--instance {self.instance!r:.60}: up to 60 letters, digits and ._-")


def _is_zone(name: str) -> bool:
    """Return whether the time zone exists, as far as this machine knows zones."""
    for zone in (name, "Etc/UTC") if name else ():
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, OSError):
            continue
        return zone == name
    return True
