"""Stands in for the image's rpi-preseed: applies the keys of its TOML that a card uses.

Runs in the emulated machine as root, once, before the network and before anybody can log in. The
real tool is Raspberry Pi's; this one was written from the format's published keys.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any


def main(path: Path) -> int:
    """Apply a file; an unknown section is an error, or a card's mistake would go unseen."""
    data = tomllib.loads(path.read_text())
    assert data.pop("config_version") == "1.0"
    sections = {"system": system, "user": user, "ssh": ssh, "wlan": ignore, "locale": ignore}
    commands = data.pop("runcmd", {})
    for name, values in data.items():
        sections[name](values, data)
    Path("/var/lib/rpi-preseed").mkdir(parents=True, exist_ok=True)
    Path("/var/lib/rpi-preseed/applied").touch()
    for command in commands.get("early", []):
        run("/bin/sh", "-c", command)
    return 0


def run(*words: str) -> None:
    """Run a command of the system."""
    subprocess.run(words, check=True)


def ignore(values: dict[str, Any], data: dict[str, Any]) -> None:
    """There is neither a radio nor a keyboard."""


def system(values: dict[str, Any], data: dict[str, Any]) -> None:
    """Set the host's name."""
    Path("/etc/hostname").write_text(f"{values['hostname']}\n")
    run("hostname", values["hostname"])


def user(values: dict[str, Any], data: dict[str, Any]) -> None:
    """Rename account 1000, as userconf does."""
    name = values["name"]
    assert values["password_encrypted"]
    run("/usr/lib/userconf-pi/userconf", name, values["password"])
    known = {line.split(":")[0] for line in Path("/etc/group").read_text().splitlines()}
    for group in known.intersection(values["groups"]):
        run("usermod", "-aG", group, name)
    if values["passwordless_sudo"]:
        rule = Path(f"/etc/sudoers.d/010_{name}")
        rule.write_text(f"{name} ALL=(ALL) NOPASSWD: ALL\n")
        rule.chmod(0o440)


def ssh(values: dict[str, Any], data: dict[str, Any]) -> None:
    """List the keys and start the server."""
    name = data["user"]["name"]
    folder = Path(f"/home/{name}/.ssh")
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "authorized_keys").write_text("\n".join(values["authorized_keys"]) + "\n")
    shutil.chown(folder, name, name)
    shutil.chown(folder / "authorized_keys", name, name)
    if values["enabled"]:
        run("systemctl", "enable", "ssh")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
