"""A board as data: what it is, what runs on it, and how it is emulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class BoardError(ValueError):
    """An unknown board or an invalid profile; one line."""


@dataclass(frozen=True)
class Cpu:
    """The cores, as described by the kernel and the manufacturer."""

    core: str
    """Name of the design, e.g. ``Cortex-A72``."""
    cores: int
    clock_mhz: int
    """Highest clock without overclocking."""
    features: tuple[str, ...]
    """As in ``/proc/cpuinfo``; ``asimddp`` is the dot product, ``i8mm`` the matrix product."""
    part: int
    """Arm's part number; with variant and revision, libraries select kernels by it."""
    variant: int
    revision: int
    l1d_kb: int
    """Per core."""
    l2_kb: int
    l2_shared: bool
    """Whether all cores share the L2; otherwise ``l2_kb`` is per core."""
    l3_kb: int
    """0 if there is none."""
    memcpy_mb_per_s: tuple[int, ...]
    """Lowest and highest published memcpy rate of one core; empty if there is none."""

    @property
    def dot_product(self) -> bool:
        """Whether one instruction computes four 8-bit products."""
        return "asimddp" in self.features


@dataclass(frozen=True)
class System:
    """An operating system in use on the board."""

    key: str
    """Name used on the command line, e.g. ``trixie``."""
    name: str
    python: str
    """Version of its Python, e.g. ``3.11``."""
    glibc: str
    tegra_release: str = ""
    """Its name in ``/etc/nv_tegra_release``, e.g. ``R36``; empty on other boards."""
    cuda: str = ""
    """Major version of CUDA; empty if there is none."""


@dataclass(frozen=True)
class Defaults:
    """Settings used unless the user overrides them."""

    engine: str
    """Name of a registered engine; see `edge_vc_runtime.engines`."""
    precision: Literal["fp32", "int8"]
    threads: int


@dataclass(frozen=True)
class SensorPaths:
    """Where temperature and throttling can be read."""

    temperature: str
    """File that holds the temperature in thousandths of a degree."""
    throttled: str
    """File with the firmware's throttling bits; empty if there is none."""
    tools: tuple[str, ...]
    """Commands that report more."""
    throttle_c: tuple[float, ...]
    """Temperatures in °C at which clocks are reduced, ascending; empty if none is published."""


@dataclass(frozen=True)
class Emulation:
    """How the board is emulated."""

    cpu: str
    """Closest core available in QEMU."""


@dataclass(frozen=True)
class FigureSource:
    """Source of figures in a profile."""

    of: str
    """A key or a table of the profile, e.g. ``cpu``."""
    title: str


@dataclass(frozen=True)
class Board:
    """One kind of board."""

    name: str
    title: str
    arch: Literal["aarch64", "x86_64"]
    models: tuple[str, ...]
    """Parts of ``/proc/device-tree/model`` that identify it; empty for a generic machine."""
    full_model: str
    """The complete content of that file on one such board; empty if `models` is."""
    systems: tuple[System, ...]
    """Operating systems with 64-bit programs, the default first."""
    defaults: Defaults
    sensors: SensorPaths
    cpu: Cpu | None = None
    """None for a generic machine."""
    emulation: Emulation | None = None
    """None if it cannot be emulated."""
    sources: tuple[FigureSource, ...] = ()

    @property
    def system(self) -> System:
        """The default operating system."""
        return self.systems[0]

    def system_named(self, key: str | None) -> System:
        """Return a system by its key, or the default if None; raises `BoardError`."""
        if key is None:
            return self.system
        for system in self.systems:
            if system.key == key:
                return system
        keys = ", ".join(system.key for system in self.systems)
        raise BoardError(f"{self.name}: no system {key!r:.40}, choose from {keys}")

    def processor(self) -> tuple[Cpu, Emulation]:
        """Return what emulation needs; raises `BoardError` if the profile does not specify it."""
        if self.cpu is None or self.emulation is None:
            raise BoardError(f"{self.name} describes no processor that could be emulated")
        return self.cpu, self.emulation
