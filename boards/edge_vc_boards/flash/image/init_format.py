"""First-boot customisation format of an image, detected by its content, never by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from edge_vc_boards.flash.image.error import CardError

FormatName = Literal["systemd", "cloudinit-rpi", "rpi-preseed"]
PACKAGE = "/var/lib/dpkg/info/{}.list"


@dataclass(frozen=True)
class FormatRule:
    """The content by which an image of one format is recognised."""

    name: FormatName
    """As in Raspberry Pi Imager's ``init_format``."""
    boot: tuple[str, ...] = ()
    """Files in the root folder of the boot partition."""
    packages: tuple[str, ...] = ()
    """Installed Debian packages."""
    without_boot: tuple[str, ...] = ()
    """Files that belong to another format."""
    without_packages: tuple[str, ...] = ()


RULES = (
    # Bookworm, and Trixie of 2025-10-01: neither seed files nor a newer tool.
    FormatRule(
        "systemd",
        packages=("userconf-pi", "raspberrypi-sys-mods"),
        without_boot=("user-data", "meta-data", "rpi-preseed.toml"),
        without_packages=("rpi-preseed", "cloud-init"),
    ),
    # Trixie from November 2025: the boot partition has NoCloud's seed files as templates.
    FormatRule(
        "cloudinit-rpi",
        boot=("user-data", "meta-data", "network-config"),
        packages=("cloud-init",),
        without_boot=("rpi-preseed.toml",),
        without_packages=("rpi-preseed",),
    ),
    # From July 2026. Its tool waits for a file that a stock image does not have.
    FormatRule(
        "rpi-preseed",
        packages=("rpi-preseed",),
        without_boot=("user-data",),
    ),
)
RASPBERRY_PI_OS = ("cmdline.txt", "config.txt", "issue.txt")
"""Files in the root folder of the boot partition of every Raspberry Pi OS."""


@dataclass(frozen=True)
class ImageContent:
    """The content of an image that the rules check."""

    boot: frozenset[str]
    """Names in the root folder of the boot partition, in lower case."""
    has_package: Callable[[str], bool]


def check_format(chosen: str | None) -> None:
    """Reject an unknown format name before an image is copied; raises `CardError`."""
    names = [rule.name for rule in RULES]
    if chosen is not None and chosen not in names:
        raise CardError(f"--init-format {chosen!r:.60}: has to be {', '.join(names)}")


def detect_format(content: ImageContent, chosen: str | None = None) -> FormatName:
    """Return the one format whose rule matches.

    ``chosen`` selects the format if several match; its own rule still has to match. Raises
    `CardError` if none or several match.
    """
    missing = [name for name in RASPBERRY_PI_OS if name not in content.boot]
    if missing:
        raise CardError(
            f"is not Raspberry Pi OS: {', '.join(missing)} missing on the boot partition"
        )
    able = [rule for rule in RULES if _has(rule, content)]
    if chosen is not None:
        for rule in able:
            if rule.name == chosen:
                return rule.name
        raise CardError(f"has not what --init-format {chosen} needs; {_found(content)}")
    sure = [rule for rule in able if not _foreign(rule, content)]
    if len(sure) == 1:
        return sure[0].name
    names = ", ".join(rule.name for rule in able) or "none"
    hint = "; --init-format says which" if able else ""
    raise CardError(
        "how it is customised on its first boot is not known, and a wrong way leaves a card "
        f"without user and network (signs of: {names}{hint}); {_found(content)}"
    )


def _has(rule: FormatRule, content: ImageContent) -> bool:
    return content.boot.issuperset(rule.boot) and all(map(content.has_package, rule.packages))


def _foreign(rule: FormatRule, content: ImageContent) -> bool:
    files = content.boot.intersection(rule.without_boot)
    return bool(files) or any(map(content.has_package, rule.without_packages))


def _found(content: ImageContent) -> str:
    files = {name for rule in RULES for name in rule.boot + rule.without_boot}
    packages = {name for rule in RULES for name in rule.packages + rule.without_packages}
    found = sorted(files & content.boot) + sorted(filter(content.has_package, packages))
    return f"found: {', '.join(found) or 'no sign of any'}"
