"""The devices chosen by the user, stored in the user's configuration folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from edge_vc_runtime.board_profile import user_folder
from edge_vc_runtime.devices.backend import Direction
from edge_vc_runtime.devices.error import DeviceError
from edge_vc_runtime.files.writing import write_whole
from edge_vc_runtime.schema.fields import FieldError, Fields, parse_object

_DIRECTIONS: tuple[Direction, ...] = ("input", "output")
_LIMIT = 1 << 16  # bytes of the file
_KEY = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}"


def remembered_devices(environment: Mapping[str, str] | None = None) -> dict[Direction, str]:
    """Return the stored key of each direction.

    A file that cannot be read, or that contains anything else, is ignored: it may be from another
    version, and choosing again replaces it.
    """
    try:
        with remembered_path(environment).open("rb") as file:
            fields = Fields(parse_object(file.read(_LIMIT)))
    except (OSError, FieldError):
        return {}
    found: dict[Direction, str] = {}
    for direction in _DIRECTIONS:
        try:
            found[direction] = fields.text(direction, _KEY, 200)
        except FieldError:
            continue
    return found


def remember_device(
    direction: Direction, key: str, environment: Mapping[str, str] | None = None
) -> Path:
    """Store a device's key as the default for its direction and return the file.

    Raises `DeviceError` if the file cannot be written.
    """
    return _write(remembered_devices(environment) | {direction: key}, environment)


def forget_devices(environment: Mapping[str, str] | None = None) -> None:
    """Forget both directions; raises `DeviceError` if the file cannot be removed."""
    place = remembered_path(environment)
    try:
        place.unlink(missing_ok=True)
    except OSError as error:
        raise DeviceError(f"{place}: {error.strerror or error}; remove it by hand") from error


def remembered_path(environment: Mapping[str, str] | None = None) -> Path:
    """Return the file: ``$XDG_CONFIG_HOME/edge-vc/devices.json``."""
    return user_folder("CONFIG", ".config", environment) / "devices.json"


def _write(kept: dict[Direction, str], environment: Mapping[str, str] | None) -> Path:
    place = remembered_path(environment)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, json.dumps(kept, indent=1) + "\n")
    except OSError as error:
        raise DeviceError(
            f"{place}: {error.strerror or error}; set XDG_CONFIG_HOME to a folder of yours"
        ) from error
    return place
