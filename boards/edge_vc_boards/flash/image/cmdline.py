"""A card's kernel command line: one line of words, edited word by word."""

from __future__ import annotations

from edge_vc_boards.flash.image.error import CardError

_OWN = ("systemd.run", "systemd.run_success_action", "systemd.run_failure_action", "systemd.unit")
FIRST_RUN = (
    "systemd.run=/boot/firmware/firstrun.sh",
    "systemd.run_success_action=reboot",
    "systemd.unit=kernel-command-line.target",
)


def edit_cmdline(text: str, *, country: str = "", seed: str = "", first_run: bool = False) -> bytes:
    """Return ``cmdline.txt`` with what a first boot needs; the rest and its order are unchanged.

    ``country`` enables the radio, ``seed`` is the instance of cloud-init's NoCloud. Raises
    `CardError` for a command line that cannot boot.
    """
    words = text.split()
    if len(text) > 4000 or not any(word.startswith("root=") for word in words):
        raise CardError("cmdline.txt of its boot partition names no root partition")
    added = {"cfg80211.ieee80211_regdom": country, "ds": f"nocloud;i={seed}" if seed else ""}
    gone = {key for key, value in added.items() if value} | set(_OWN if first_run else ())
    kept = [word for word in words if word.partition("=")[0] not in gone]
    kept += [f"{key}={value}" for key, value in added.items() if value]
    kept += FIRST_RUN if first_run else ()
    return (" ".join(kept) + "\n").encode()
