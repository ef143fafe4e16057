"""Which layer of a model runs an operation: for errors that name the one to replace."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from edge_vc.nn.layer import StreamingLayer


def layer_running(model: StreamingLayer, x: Tensor, operation: str) -> str:
    """Return the path of the layer in which one step over ``x`` runs an operation.

    ``operation`` is PyTorch's name (``aten::erf``) or ONNX's (``Erf``). Where none is found, which
    happens when the two have different names, the whole model's class is returned.
    """
    wanted = operation.rpartition("::")[2].lower().replace("_", "")
    with torch.no_grad(), _Watch(model, wanted) as watch:
        model.step(x, model.init_state(x.shape[0]))
    return watch.found or type(model).__name__


class _Watch(TorchDispatchMode):
    """Notes the layer whose code calls an operation first."""

    def __init__(self, model: nn.Module, wanted: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has none here
        self._paths = {id(module): path for path, module in model.named_modules()}
        self._wanted = wanted
        self.found = ""

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = str(func.overloadpacket.__name__).lower().replace("_", "")
        if not self.found and self._wanted in (name, name.removeprefix("special")):
            self.found = self._innermost(sys._getframe())
        return func(*args, **(kwargs or {}))

    def _innermost(self, frame: FrameType | None) -> str:
        """Return the path of the nearest module among the callers."""
        while frame is not None:
            path: str | None = self._paths.get(id(frame.f_locals.get("self")))
            if path:
                return path
            frame = frame.f_back
        return ""
