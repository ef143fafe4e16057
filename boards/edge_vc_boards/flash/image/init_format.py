"""How an image is customised on its first boot, told by what it holds and never by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from edge_vc_boards.flash.image.error import CardError

FormatName = Literal["systemd", "cloudinit-rpi", "rpi-preseed"]
PACKAGE = "/var/lib/dpkg/info/{}.list"


@dataclass(frozen=True)
class FormatRule:
    """What an image of one format holds."""

    name: FormatName
    """As Raspberry Pi Imager's ``init_format``."""
    boot: tuple[str, ...] = ()
    """Files at the top of the boot partition."""
    packages: tuple[str, ...] = ()
    """Debian packages that are installed."""
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
    # Trixie from November 2025: the seed files of NoCloud lie on the boot partition as templates.
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
"""At the top of the boot partition of every Raspberry Pi OS."""


@dataclass(frozen=True)
class ImageContent:
    """What is asked about an image."""

    boot: frozenset[str]
    """Names at the top of the boot partition, in lower case."""
    has_package: Callable[[str], bool]


def check_format(chosen: str | None) -> None:
    """Refuse a name that no format has, before an image is copied; raises `CardError`."""
    names = [rule.name for rule in RULES]
    if chosen is not None and chosen not in names:
        raise CardError(f"--init-format {chosen!r:.60}: has to be {', '.join(names)}")


def detect_format(content: ImageContent, chosen: str | None = None) -> FormatName:
    """Return the one format whose rule holds.

    ``chosen`` settles an image that has the signs of two; it still has to have those of its own.
    Raises `CardError` for an image of none or of several.
    """
    missing = [name for name in RASPBERRY_PI_OS if name not in content.boot]
    if missing:
        raise CardError(
            f"is no Raspberry Pi OS: {', '.join(missing)} missing on the boot partition"
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
