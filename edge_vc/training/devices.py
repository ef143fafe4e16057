"""Where training runs: on one device, or in several processes that share each batch.

Every process draws its rows of the same global batch, and gradients are averaged before a step, so
any number of processes takes the same steps as one. Lightning Fabric starts and connects several
processes; a single process needs only torch.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import torch
from torch import Tensor

from edge_vc.training.precision import PRECISIONS, chosen_precision

ACCELERATORS = ("auto", "cpu", "cuda")


class AcceleratorError(ValueError):
    """Devices that are missing or unusable; the message is one line with the value and the fix."""


@dataclass(frozen=True)
class DeviceSettings:
    """What to train on."""

    accelerator: str = "auto"
    """``cuda`` or ``cpu``; ``auto``: ``cuda`` if available, else ``cpu``."""
    devices: int = 1
    """Processes on each machine, each with its own device."""
    nodes: int = 1
    """Machines; all of them must see the run folder."""
    precision: str = "auto"
    """``bf16-mixed``: products in bfloat16, weights in float32; ``32``: everything in float32;
    ``auto``: the faster of the two on the device."""

    def __post_init__(self) -> None:
        """Raise `AcceleratorError` for an unknown or invalid value."""
        for name, allowed in (("accelerator", ACCELERATORS), ("precision", PRECISIONS)):
            value = getattr(self, name)
            if value not in allowed:
                raise AcceleratorError(f"{name} {value!r} is not one of {', '.join(allowed)}")
        if self.devices < 1 or self.nodes < 1:
            raise AcceleratorError(
                f"{self.devices} devices on {self.nodes} nodes; give 1 or more each"
            )


class Devices(Protocol):
    """This process's place among all processes of a training run."""

    rank: int
    """Number of this process, 0 to `world` - 1; process 0 writes the files."""
    world: int
    device: torch.device
    precision: str
    """``bf16-mixed`` or ``32``."""

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which networks compute."""
        ...

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Replace the gradients by their means over all processes."""
        ...

    def mean(self, value: float) -> float:
        """Return the mean of a figure over all processes."""
        ...

    def agree(self, value: float) -> float:
        """Return the value of process 0."""
        ...


class OneDevice:
    """A single process, this one."""

    rank, world = 0, 1

    def __init__(self, accelerator: str = "cpu", precision: str = "32") -> None:
        self.device = torch.device(_present(accelerator))
        self.precision = chosen_precision(precision, self.device)
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which networks compute."""
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.precision == "bf16-mixed"
        )

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Leave the gradients unchanged."""

    def mean(self, value: float) -> float:
        """Return ``value``."""
        return value

    def agree(self, value: float) -> float:
        """Return ``value``."""
        return value


class ManyDevices:
    """One of several processes started by Lightning Fabric."""

    def __init__(self, fabric: Any, precision: str) -> None:
        self._fabric, self.precision = fabric, precision
        self.rank, self.world = int(fabric.global_rank), int(fabric.world_size)
        self.device: torch.device = fabric.device

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which networks compute."""
        context: AbstractContextManager[Any] = self._fabric.autocast()
        return context

    def average(self, parameters: Iterable[Tensor]) -> None:
        """Replace the gradients by their means over all processes, in one exchange."""
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([grad.flatten() for grad in grads])
        flat = self._fabric.all_reduce(flat, reduce_op="mean")
        parts = flat.split([grad.numel() for grad in grads])
        for grad, part in zip(grads, parts, strict=True):
            grad.copy_(part.view_as(grad))

    def mean(self, value: float) -> float:
        """Return the mean of a figure over all processes."""
        one = torch.tensor(value, dtype=torch.float64 if self.device.type == "cpu" else None)
        return float(self._fabric.all_reduce(one.to(self.device), reduce_op="mean"))

    def agree(self, value: float) -> float:
        """Return what process 0 says."""
        return float(self._fabric.broadcast(value, src=0))


def open_devices(settings: DeviceSettings) -> Devices:
    """Return this process's place; start the other processes if there are to be several.

    The others re-run the same command line. Raises `AcceleratorError` if a device or Fabric is
    missing.
    """
    if settings.devices * settings.nodes == 1:
        return OneDevice(settings.accelerator, settings.precision)
    accelerator = _present(settings.accelerator)
    precision = chosen_precision(settings.precision, torch.device(accelerator))
    fabric = _fabric_class()(
        accelerator=accelerator,
        devices=settings.devices,
        num_nodes=settings.nodes,
        strategy="ddp",
        precision="bf16-mixed" if precision == "bf16-mixed" else "32-true",
    )
    fabric.launch()
    return ManyDevices(fabric, precision)


def _fabric_class() -> Any:
    """Return Fabric from its own distribution or from Lightning."""
    for module in ("lightning_fabric", "lightning.fabric"):
        try:
            return import_module(module).Fabric
        except ModuleNotFoundError:
            continue
    raise AcceleratorError("several devices need Lightning Fabric: pip install 'edge-vc[train]'")


def _present(accelerator: str) -> str:
    if accelerator == "cuda" and not torch.cuda.is_available():
        raise AcceleratorError("accelerator 'cuda': torch finds none here; give 'cpu' or 'auto'")
    found = "cuda" if torch.cuda.is_available() else "cpu"
    return found if accelerator == "auto" else accelerator
