"""Format ``rpi-preseed``: one TOML file that the image's own tool waits for.

The tool is a shell script that supports part of TOML: it ends a multi-line array at the first line
with a bracket, so each array is written on one line. Its first version installs none of the keys in
``ssh.authorized_keys`` (they are lost in a pipe's subshell) and does not start the SSH server; the
early commands here do both, and change nothing if it is already done.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from edge_vc_boards.flash.image.card_settings import CardSettings
from edge_vc_boards.flash.image.cloud_init_files import GROUPS
from edge_vc_boards.flash.image.first_boot import BOOT, SCRIPT, SSH_KEYS
from edge_vc_boards.flash.image.wifi import WifiNetwork

EARLY_LIMIT_S = 9
"""Timeout of each early command: the tool's 5 s are too short for systemd's reload on a slow card,
and its unit is stopped after 30 s."""


def preseed_files(settings: CardSettings) -> dict[str, bytes]:
    """Return ``rpi-preseed.toml`` and the keys; nothing is added to the kernel's command line."""
    data: dict[str, Any] = {}
    if settings.hostname:
        data["system"] = {"hostname": settings.hostname}
    data["user"] = {
        "name": settings.user,
        # An asterisk is not a valid hash: it locks the password.
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
    data["runcmd"] = _early_commands(settings)
    files = {"rpi-preseed.toml": _toml({"config_version": "1.0"}, data).encode()}
    if settings.ssh_keys:
        files[SSH_KEYS] = "".join(f"{key}\n" for key in settings.ssh_keys).encode()
    return files


def _early_commands(settings: CardSettings) -> dict[str, Any]:
    """Return early commands, which do not wait for network or clock: a board may have neither."""
    script = f"sh {BOOT}/{SCRIPT}"
    commands = [f"{script} keys"] if settings.ssh_keys else []
    commands += ["systemctl --no-block start ssh", f"{script} enable --start"]
    return {"early": commands, "early_cmd_timeout": EARLY_LIMIT_S}


def _wlan(wifi: WifiNetwork) -> dict[str, Any]:
    # A name with special characters is given as bytes: it is copied into another file unquoted.
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


def _toml(top: Mapping[str, str], tables: Mapping[str, Mapping[str, Any]]) -> str:
    """Return TOML, one line per value: JSON strings, numbers and arrays are valid TOML."""
    text = _lines(top)
    for name, table in tables.items():
        text += f"\n[{name}]\n{_lines(table)}"
    return text


def _lines(table: Mapping[str, Any]) -> str:
    return "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items()
    )
