"""A board as data: what it is, what runs on it, and how it is emulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class BoardError(ValueError):
    """A board that is not known or a profile that is not valid; one line."""


@dataclass(frozen=True)
class Cpu:
    """The cores, as the kernel and their maker describe them."""

    core: str
    """Name of the design, e.g. ``Cortex-A72``."""
    cores: int
    clock_mhz: int
    """Highest clock without overclocking."""
    features: tuple[str, ...]
    """As in ``/proc/cpuinfo``; ``asimddp`` is the dot product, ``i8mm`` the matrix product."""
    part: int
    """Arm's number of the design, with variant and revision: libraries choose kernels by it."""
    variant: int
    revision: int
    l1d_kb: int
    """Of one core."""
    l2_kb: int
    l2_shared: bool
    """Whether all cores share the L2; otherwise each has ``l2_kb`` of its own."""
    l3_kb: int
    """0 where there is none."""
    memcpy_mb_per_s: tuple[int, ...]
    """Lowest and highest published figure of one core's memcpy; empty where none is."""

    @property
    def dot_product(self) -> bool:
        """Whether four 8-bit products are one instruction."""
        return "asimddp" in self.features


@dataclass(frozen=True)
class System:
    """An operating system that the board's users have."""

    key: str
    """By which a user names it, e.g. ``trixie``."""
    name: str
    python: str
    """Its own Python, e.g. ``3.11``."""
    glibc: str
    tegra_release: str = ""
    """How ``/etc/nv_tegra_release`` names it, e.g. ``R36``; empty on other boards."""
    cuda: str = ""
    """Major version of CUDA; empty where there is none."""


@dataclass(frozen=True)
class Defaults:
    """What runs unless a user asks for something else."""

    engine: str
    """A registered engine's name; see `edge_vc_runtime.engines`."""
    precision: Literal["fp32", "int8"]
    threads: int


@dataclass(frozen=True)
class SensorPaths:
    """Where heat and throttling can be read."""

    temperature: str
    """File with thousandths of a degree."""
    throttled: str
    """File with the firmware's throttling bits; empty where there is none."""
    tools: tuple[str, ...]
    """Commands that know more."""
    throttle_c: tuple[float, ...]
    """Degrees at which clocks fall, the first limit first; empty where none is published."""


@dataclass(frozen=True)
class Emulation:
    """How the board is stood in for."""

    cpu: str
    """QEMU's nearest core."""


@dataclass(frozen=True)
class FigureSource:
    """What figures of a profile are taken from."""

    of: str
    """A key of the profile, or a table of it, e.g. ``cpu``."""
    title: str


@dataclass(frozen=True)
class Board:
    """One kind of board."""

    name: str
    title: str
    arch: Literal["aarch64", "x86_64"]
    models: tuple[str, ...]
    """Parts of ``/proc/device-tree/model`` by which it is recognised; none of a generic machine."""
    full_model: str
    """The whole of that file on one such board; empty where `models` is."""
    systems: tuple[System, ...]
    """Operating systems with 64-bit programs, the default first."""
    defaults: Defaults
    sensors: SensorPaths
    cpu: Cpu | None = None
    """None of a generic machine."""
    emulation: Emulation | None = None
    """None where nothing stands in for it."""
    sources: tuple[FigureSource, ...] = ()

    @property
    def system(self) -> System:
        """The default operating system."""
        return self.systems[0]

    def system_named(self, key: str | None) -> System:
        """Return a system by its key, the default for None; raises `BoardError`."""
        if key is None:
            return self.system
        for system in self.systems:
            if system.key == key:
                return system
        keys = ", ".join(system.key for system in self.systems)
        raise BoardError(f"{self.name}: no system {key!r:.40}, choose from {keys}")

    def processor(self) -> tuple[Cpu, Emulation]:
        """Return what emulation needs; raises `BoardError` where the profile does not say it."""
        if self.cpu is None or self.emulation is None:
            raise BoardError(f"{self.name} describes no processor that could be emulated")
        return self.cpu, self.emulation
