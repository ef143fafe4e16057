"""Which options of ``edge-vc flash`` apply to which destination; others are rejected."""

from __future__ import annotations

from collections.abc import Collection

from edge_vc_boards.flash.error import FlashError

_BUNDLE = {"bundle", "board", "engine", "wheels", "trust", "allow_unsigned"}
_LOGIN = {"to", "port", "identity", "ssh_option"}
_FLEET = {"inventory", "group", "parallel", "ssh_option"}
_INSTALLED = {"root", "allow_downgrade", "no_service", "configure_audio", "run_arguments"}
_CHANGES = {"show_list", "rollback", "uninstall", "dry_run"}
_CARD = {
    *("out", "user", "password_file", "ssh_key", "hostname", "timezone", "locale", "keyboard"),
    *("wifi", "wifi_file", "wifi_country", "wifi_hidden", "instance", "init_format", "device"),
}
PLACES = {
    "to": _LOGIN | _BUNDLE | _INSTALLED | _CHANGES,
    "inventory": _FLEET | _BUNDLE | _INSTALLED | _CHANGES,
    "image": _CARD | _BUNDLE | {"image", "configure_audio", "run_arguments"},
    "layer": _BUNDLE | {"layer", "system", "configure_audio", "run_arguments"},
    "bundle_app": _BUNDLE | {"bundle_app", "system"},
    "ansible": _BUNDLE | _INSTALLED | {"ansible", "system", "inventory", "group"},
}
"""The options that apply to each destination, by parameter name."""
_WHY = {
    "dry_run": "--dry-run is for boards over SSH",
    "show_list": "--list is for boards over SSH: --to USER@HOST or --inventory",
    "rollback": "--rollback is for boards over SSH: --to USER@HOST or --inventory",
    "uninstall": "--uninstall is for boards over SSH: --to USER@HOST or --inventory",
    "port": "--port is for --to USER@HOST; a fleet's ports are in its inventory",
    "identity": "--identity is for --to USER@HOST; a fleet's keys are in its inventory",
    "group": "--group is for an --inventory",
    "parallel": "--parallel is for an --inventory; Ansible has --forks",
    "allow_downgrade": "--allow-downgrade is for boards that have a release",
    "run_arguments": "arguments after -- are given to the file when it is called",
    "system": "--system is for --layer, --bundle-app and --ansible; elsewhere it is detected",
}
_WHY |= dict.fromkeys(_CARD, "--image IMG is needed with the options of a card")
_OF_PLACE = {
    ("image", "root"): "a card is installed in /opt/edge-vc",
    ("layer", "root"): "a card is installed in /opt/edge-vc",
    ("image", "no_service"): "a card is installed with its service",
    ("layer", "no_service"): "a card is installed with its service",
    ("bundle_app", "root"): "the file is installed nowhere: it runs where it lies, and unpacks "
    "into XDG_CACHE_HOME",
    ("bundle_app", "no_service"): "the file has no service, with or without --no-service",
    ("bundle_app", "configure_audio"): "the file changes nothing of a system: edge-vc flash "
    "--to USER@HOST --configure-audio CARD",
}


ACTIONS = ("show_list", "rollback", "uninstall", "configure_audio")
"""Actions on a board other than installing a bundle."""


def check_options(place: str, given: Collection[str]) -> None:
    """Reject options that would have no effect; ``place`` and ``given`` are parameter names.

    Raises `FlashError` with the option and where it applies.
    """
    for name in given:
        if name not in PLACES[place]:
            why = _OF_PLACE.get((place, name), _WHY.get(name, f"{_flag(name)} does nothing there"))
            raise FlashError(f"{_flag(place)}: {why}")
    if "bundle" not in given:
        _check_action(given)


def _check_action(given: Collection[str]) -> None:
    """Reject options for a bundle if no bundle is installed."""
    action = next((name for name in ACTIONS if name in given), None)
    for name in given:
        if action and name in (_BUNDLE | _INSTALLED) - {"root", *ACTIONS}:
            raise FlashError(f"{_flag(action)}: {_flag(name)} would do nothing without a BUNDLE")


def _flag(name: str) -> str:
    return "--list" if name == "show_list" else f"--{name.replace('_', '-')}"
