"""Format ``rpi-preseed``: one TOML file that the image's own tool waits for."""

from __future__ import annotations

import re
from typing import Any

import tomli_w

from edge_vc_boards.flash.image.card_settings import CardSettings
from edge_vc_boards.flash.image.cloud_init_files import GROUPS
from edge_vc_boards.flash.image.first_boot import BOOT, SCRIPT
from edge_vc_boards.flash.image.wifi import WifiNetwork


def preseed_files(settings: CardSettings) -> dict[str, bytes]:
    """Return ``rpi-preseed.toml``; nothing is added to the kernel's command line."""
    data: dict[str, Any] = {"config_version": "1.0"}
    if settings.hostname:
        data["system"] = {"hostname": settings.hostname}
    data["user"] = {
        "name": settings.user,
        # An asterisk is no password's hash: it locks the password.
        "password": settings.password_hash or "*",
        "password_encrypted": True,
        "passwordless_sudo": not settings.password_hash,
        "groups": list(GROUPS),
    }
    data["ssh"] = {
        "enabled": True,
        "password_authentication": not settings.ssh_keys,
        "authorized_keys": list(settings.ssh_keys),
    }
    if settings.wifi:
        data["wlan"] = _wlan(settings.wifi)
    if locale := _locale(settings):
        data["locale"] = locale
    # Early commands wait for no network and no clock, which a board may never have.
    data["runcmd"] = {"early": [f"sh {BOOT}/{SCRIPT} enable --start"]}
    return {"rpi-preseed.toml": tomli_w.dumps(data).encode()}


def _wlan(wifi: WifiNetwork) -> dict[str, Any]:
    # A name with anything special goes as bytes: it is copied into another file unquoted.
    plain = re.fullmatch(r"[A-Za-z0-9_-]+( [A-Za-z0-9_-]+)*", wifi.ssid)
    name = {"ssid": wifi.ssid} if plain else {"ssid_hex": wifi.ssid_bytes.hex()}
    wlan: dict[str, Any] = {**name, "hidden": wifi.hidden, "country": wifi.country}
    if wifi.key:
        wlan |= {"password": wifi.key, "password_encrypted": True, "key_mgmt": "wpa-psk"}
    else:
        wlan["key_mgmt"] = "none"
    return wlan


def _locale(settings: CardSettings) -> dict[str, Any]:
    locale: dict[str, Any] = {}
    if settings.keyboard:
        locale["keymap"] = settings.keyboard
    if settings.timezone:
        locale["timezone"] = settings.timezone
    if settings.locale:
        locale |= {"locales": [settings.locale], "lang": settings.locale}
    return locale
