"""The network that a card joins; only the key derived from its passphrase is stored on the card."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from edge_vc_boards.flash.image.error import CardError


@dataclass(frozen=True)
class WifiNetwork:
    """One network, WPA2 (or WPA2/WPA3 mixed) with a passphrase, or open."""

    ssid: str
    key: str
    """64 hexadecimal digits derived from name and passphrase; empty for an open network."""
    country: str
    """ISO 3166 two-letter country whose radio rules apply. Without it, the radio stays off."""
    hidden: bool = False

    def __post_init__(self) -> None:
        """Reject invalid values; raises `CardError`."""
        if not (1 <= len(self.ssid.encode()) <= 32 and self.ssid.isprintable()):
            raise CardError(f"--wifi {self.ssid!r:.60}: a name has 1 to 32 printable bytes")
        if not re.fullmatch(r"[A-Z]{2}", self.country):
            raise CardError(f"--wifi-country {self.country!r:.20}: two letters, such as GB, DE, US")
        if self.key and not re.fullmatch(r"[0-9a-f]{64}", self.key):
            raise CardError("the Wi-Fi key has to be 64 hexadecimal digits")

    @property
    def ssid_bytes(self) -> bytes:
        """The name as transmitted."""
        return self.ssid.encode()


def wifi_key(ssid: str, passphrase: str) -> str:
    """Return the IEEE 802.11i pre-shared key for a passphrase; a key is returned unchanged.

    Raises `CardError` for a passphrase that is not 8 to 63 printable characters of ASCII.
    """
    if re.fullmatch(r"[0-9A-Fa-f]{64}", passphrase):
        return passphrase.lower()
    if not (8 <= len(passphrase) <= 63 and passphrase.isascii() and passphrase.isprintable()):
        raise CardError("the Wi-Fi passphrase has to be 8 to 63 printable characters of ASCII")
    made = hashlib.pbkdf2_hmac("sha1", passphrase.encode(), ssid.encode(), 4096, 32)
    return made.hex()
