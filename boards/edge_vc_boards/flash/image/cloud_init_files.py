"""Format ``cloudinit-rpi``: a seed for cloud-init's NoCloud, as JSON, which is valid YAML."""

from __future__ import annotations

import json
from typing import Any

from edge_vc_boards.flash.image.card_settings import CardSettings
from edge_vc_boards.flash.image.cmdline import edit_cmdline
from edge_vc_boards.flash.image.first_boot import BOOT, SCRIPT

GROUPS = (
    "adm", "dialout", "cdrom", "audio", "users", "sudo", "video", "games", "plugdev", "input",
    "gpio", "spi", "i2c", "netdev", "render",
)  # fmt: skip


def cloud_init_files(settings: CardSettings, cmdline: str, instance: str) -> dict[str, bytes]:
    """Return the seed and ``cmdline.txt``, both with the instance, which survives reboots."""
    files = {
        "user-data": b"#cloud-config\n" + _json(_user_data(settings)),
        "meta-data": _json({"dsmode": "local", "instance-id": instance}),
        "cmdline.txt": edit_cmdline(
            cmdline, country=settings.wifi.country if settings.wifi else "", seed=instance
        ),
    }
    if settings.wifi:
        files["network-config"] = _json(_network(settings))
    return files


def _user_data(settings: CardSettings) -> dict[str, Any]:
    first: list[list[str]] = [["systemctl", "enable", "--now", "ssh"]]
    if settings.wifi:
        first.append(["rfkill", "unblock", "wifi"])
    data: dict[str, Any] = {
        # `user` is merged into the image's own; `users` would replace its groups as well.
        "user": _user(settings),
        "ssh_pwauth": not settings.ssh_keys,
        # The key enable_ssh, supported by other images, is ignored here.
        "runcmd": [*first, ["sh", f"{BOOT}/{SCRIPT}", "enable", "--start"]],
    }
    if settings.hostname:
        data |= {"hostname": settings.hostname, "manage_etc_hosts": True}
    if settings.keyboard:
        data["keyboard"] = {"model": "pc105", "layout": settings.keyboard}
    for name in ("timezone", "locale"):
        if getattr(settings, name):
            data[name] = getattr(settings, name)
    return data


def _user(settings: CardSettings) -> dict[str, Any]:
    user: dict[str, Any] = {
        "name": settings.user,
        "groups": list(GROUPS),
        "shell": "/bin/bash",
        "lock_passwd": not settings.password_hash,
        # Null removes the image's rule for sudo without a password.
        "sudo": None if settings.password_hash else ["ALL=(ALL) NOPASSWD:ALL"],
    }
    if settings.password_hash:
        user["passwd"] = settings.password_hash
    if settings.ssh_keys:
        user["ssh_authorized_keys"] = list(settings.ssh_keys)
    return user


def _network(settings: CardSettings) -> dict[str, Any]:
    wifi = settings.wifi
    assert wifi is not None
    point: dict[str, Any] = {"password": wifi.key} if wifi.key else {}
    if wifi.hidden:
        point["hidden"] = True
    wlan = {
        "dhcp4": True,
        "optional": True,
        "regulatory-domain": wifi.country,
        "access-points": {wifi.ssid: point},
    }
    ethernet = {"dhcp4": True, "dhcp6": True, "optional": True}
    return {"network": {"version": 2, "ethernets": {"eth0": ethernet}, "wifis": {"wlan0": wlan}}}


def _json(value: object) -> bytes:
    # Not escaped to ASCII: YAML does not combine escaped surrogate pairs.
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
