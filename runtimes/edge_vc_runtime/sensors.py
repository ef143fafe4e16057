"""Temperature, clock, throttling and load of this machine; None if there is no sensor."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_vc_runtime.sysfs import read_text

_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"


@dataclass(frozen=True)
class Sensors:
    """Sensor readings at one moment."""

    governor: str | None
    frequency_mhz: float | None
    temperature_c: float | None
    throttled: str | None
    """The Raspberry Pi firmware's throttling bits, hexadecimal."""
    load_1m: float | None
    """Load average over one minute."""


def read_sensors(root: Path = Path("/")) -> Sensors:
    """Return the current readings; ``root`` is the folder that contains ``proc`` and ``sys``."""
    cpu = "sys/devices/system/cpu/cpu0/cpufreq"
    frequency = _number(read_text(root, f"{cpu}/scaling_cur_freq"))
    temperature = _number(read_text(root, "sys/class/thermal/thermal_zone0/temp"))
    load = (read_text(root, "proc/loadavg") or "").split()
    return Sensors(
        governor=read_text(root, f"{cpu}/scaling_governor"),
        frequency_mhz=None if frequency is None else frequency / 1e3,
        temperature_c=None if temperature is None else temperature / 1e3,
        throttled=read_text(root, _THROTTLED),
        load_1m=_number(load[0]) if load else None,
    )


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
