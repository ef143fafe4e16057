"""Format ``systemd``: a script started from the kernel's command line."""

from __future__ import annotations

import shlex

from edge_vc_boards.flash.image.card_settings import CardSettings
from edge_vc_boards.flash.image.cmdline import edit_cmdline
from edge_vc_boards.flash.image.first_boot import script_bytes
from edge_vc_boards.flash.image.wifi import WifiNetwork


def systemd_files(settings: CardSettings, cmdline: str) -> dict[str, bytes]:
    """Return ``firstrun.sh`` and ``cmdline.txt``; every value is quoted for the shell."""
    values = {
        "hostname": settings.hostname,
        "user": settings.user,
        "password_hash": settings.password_hash,
        "ssh_keys": "\n".join(settings.ssh_keys),
        "wifi": keyfile(settings.wifi) if settings.wifi else "",
        "timezone": settings.timezone,
        "keyboard": settings.keyboard,
        "locale": settings.locale,
    }
    lines = ["#!/bin/sh", *(f"{name}={shlex.quote(text)}" for name, text in values.items())]
    script = "\n".join([*lines, ""]).encode() + script_bytes("firstrun.sh")
    country = settings.wifi.country if settings.wifi else ""
    return {
        "firstrun.sh": script,
        "cmdline.txt": edit_cmdline(cmdline, country=country, first_run=True),
    }


def keyfile(wifi: WifiNetwork) -> str:
    """Return a NetworkManager connection file; the name is written as bytes to avoid escaping."""
    name = "".join(f"{byte};" for byte in wifi.ssid_bytes)
    lines = ["[connection]", "id=edge-vc", "type=wifi", "", "[wifi]", "mode=infrastructure"]
    lines += [f"ssid={name}", f"hidden={str(wifi.hidden).lower()}", ""]
    if wifi.key:
        lines += ["[wifi-security]", "key-mgmt=wpa-psk", f"psk={wifi.key}", ""]
    return "\n".join([*lines, "[ipv4]", "method=auto", "", "[ipv6]", "method=auto"])
