"""Find the layer of a model that runs an operation, for errors that name the one to replace."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import onnx
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from edge_vc.nn.layer import StreamingLayer


def layer_running(model: StreamingLayer, x: Tensor, operation: str) -> str:
    """Return the path of the layer in which one step over ``x`` runs an operation.

    ``operation`` is PyTorch's name (``aten::erf``). If no layer is found, the model's class name
    is returned.
    """
    with torch.no_grad(), _Watch(model, _plain(operation)) as watch:
        model.step(x, model.init_state(x.shape[0]))
    return watch.found or type(model).__name__


def _plain(operation: str) -> str:
    """Return an operation's name in the form shared by PyTorch's functions and operators."""
    name = operation.rpartition("::")[2].lower().removeprefix("special_")
    return name.replace("_", "")


class LayerScopes(TorchFunctionMode):
    """During tracing, marks every operation with the path of the layer whose code calls it.

    The exporter's own scopes track calls of ``forward``, but streaming layers run by ``step``.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self._paths = _paths(model)
        self._callers: dict[str, str] = {}

    def layer_calling(self, operation: str) -> str:
        """Return the layer that first called ``operation`` (``aten::fft_rfft``); empty if none."""
        return self._callers.get(_plain(operation), "")

    def layer_in(self, message: str) -> str:
        """Return the layer that an exporter's message refers to; empty if none.

        The message contains the layer's scope, or the name of a function that a layer called.
        """
        if scopes := _SCOPE.findall(message):
            return str(scopes[-1])
        words = (_plain(word) for word in re.findall(r"\w+", message) if "_" in word)
        return next((self._callers[word] for word in words if word in self._callers), "")

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        state: Any = torch._C._get_tracing_state()
        path = _innermost(self._paths, sys._getframe(1))
        if state is None or not path:
            return func(*args, **(kwargs or {}))
        self._callers.setdefault(_plain(getattr(func, "__name__", "")), path)
        state.push_scope(f"Layer::{path}{_END}")
        try:
            return func(*args, **(kwargs or {}))
        finally:
            state.pop_scope()


_END = "@"
"""Ends a path in a scope, since the exporter appends a counter to equal scopes."""
_SCOPE = re.compile(rf"([\w.]+){_END}")


def layers_of(nodes: list[onnx.NodeProto]) -> dict[str, str]:
    """Return the layer of each output of nodes traced within `LayerScopes`."""
    layers: dict[str, str] = {}
    for node in nodes:
        if found := _SCOPE.findall(node.name):
            layers |= dict.fromkeys(node.output, found[-1])
    return layers


def _paths(model: nn.Module) -> dict[int, str]:
    return {id(module): path for path, module in model.named_modules()}


def _innermost(paths: Mapping[int, str], frame: FrameType | None) -> str:
    """Return the path of the innermost module among the callers."""
    while frame is not None:
        path = paths.get(id(frame.f_locals.get("self")))
        if path:
            return path
        frame = frame.f_back
    return ""


class _Watch(TorchDispatchMode):
    """Records the layer whose code calls an operation first."""

    def __init__(self, model: nn.Module, wanted: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch has none here
        self._paths = _paths(model)
        self._wanted = wanted
        self.found = ""

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if not self.found and self._wanted == _plain(str(func.overloadpacket.__name__)):
            self.found = _innermost(self._paths, sys._getframe())
        return func(*args, **(kwargs or {}))
