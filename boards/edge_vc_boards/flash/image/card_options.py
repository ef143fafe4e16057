"""Options of ``edge-vc flash --image`` and ``--layer``, converted to a card's settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edge_vc_boards.flash.image.card_settings import CardSettings
from edge_vc_boards.flash.image.error import CardError
from edge_vc_boards.flash.image.password import password_hash
from edge_vc_boards.flash.image.wifi import WifiNetwork, wifi_key

PASSWORD_VARIABLE = "EDGE_VC_CARD_PASSWORD"
WIFI_VARIABLE = "EDGE_VC_WIFI_PASSPHRASE"
_LIMIT = 8192  # bytes of a file that holds one secret or key
Ask = Callable[[str], str]
"""Prompts for a secret without echo."""


@dataclass(frozen=True)
class CardOptions:
    """The options as given; they contain no secrets."""

    user: str | None = None
    password_file: Path | None = None
    ssh_keys: tuple[Path, ...] = ()
    hostname: str | None = None
    timezone: str | None = None
    locale: str | None = None
    keyboard: str | None = None
    wifi: str | None = None
    wifi_file: Path | None = None
    wifi_country: str | None = None
    wifi_hidden: bool = False
    instance: str | None = None

    def settings(self, ask: Ask) -> CardSettings:
        """Return the settings, with secrets from files, environment or ``ask``, and derived.

        Raises `CardError`.
        """
        if not self.user:
            raise CardError("--user NAME is needed: Raspberry Pi OS has no account by itself")
        keys = [line for path in self.ssh_keys for line in _lines(path, "--ssh-key")]
        plain = CardSettings(
            user=self.user,
            password_hash="*",
            ssh_keys=tuple(keys),
            hostname=self.hostname or "",
            timezone=self.timezone or "",
            locale=self.locale or "",
            keyboard=self.keyboard or "",
            instance=self.instance or "",
        )  # validate before prompting
        context = (self.user, self.hostname or "", self.instance or "")
        password = self._password(ask, asked=not keys)
        hashed = password_hash(password, *context) if password else ""
        return replace(plain, password_hash=hashed, wifi=self._network(ask))

    def _password(self, ask: Ask, asked: bool) -> str:
        given = _secret(self.password_file, "--password-file", PASSWORD_VARIABLE)
        if given is not None:
            return given
        return ask(f"Password of {self.user}") if asked else ""

    def _network(self, ask: Ask) -> WifiNetwork | None:
        if self.wifi is None:
            if self.wifi_file or self.wifi_country or self.wifi_hidden:
                raise CardError("--wifi NAME is needed with the other options of Wi-Fi")
            return None
        if self.wifi_country is None:
            raise CardError("--wifi-country CC is needed, such as GB: the radio stays off without")
        WifiNetwork(self.wifi, "", self.wifi_country)  # validate before prompting
        given = _secret(self.wifi_file, "--wifi-file", WIFI_VARIABLE)
        passphrase = ask(f"Passphrase of {self.wifi}") if given is None else given
        key = wifi_key(self.wifi, passphrase) if passphrase else ""
        return WifiNetwork(self.wifi, key, self.wifi_country, self.wifi_hidden)


def _secret(path: Path | None, flag: str, variable: str) -> str | None:
    if path is None:
        return os.environ.get(variable)
    text = _text(path, flag).removesuffix("\n").removesuffix("\r")
    if "\n" in text:
        raise CardError(f"{flag} {path}: has to hold one line")
    return text


def _lines(path: Path, flag: str) -> list[str]:
    lines = [line.strip() for line in _text(path, flag).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _text(path: Path, flag: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text"
        raise CardError(f"{flag} {path}: {reason}") from error
    if len(data) > _LIMIT:
        raise CardError(f"{flag} {path}: is larger than {_LIMIT} bytes")
    return text
