"""NNCF's view of a layer's graph: connections of the convolutions, positions of quantisers.

Only read access provided by NNCF 3.4 is used, and only here and in `calibrate`.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from torch import Tensor

from edge_vc.nn.flat_step import FlatStep

WEIGHT_PORT = 1
PASS_THROUGH = ("relu", "relu_")
"""Operations between two convolutions that map zero to zero and fuse into the first."""


@contextmanager
def offline_nncf() -> Iterator[Any]:
    """Provide NNCF with unwanted side effects disabled.

    Its telemetry uses the network, its logs and progress bars go to standard output, and its first
    fake quantisation compiles C++ to speed up training, which is not needed here.
    """
    with _environment("NNCF_CI", "1"):
        import nncf
        import nncf.torch
    from nncf.torch.quantization.extensions import QuantizedFunctionsCPU
    from nncf.torch.quantization.reference import torch_executor as plain

    if QuantizedFunctionsCPU._loaded_namespace is None:
        QuantizedFunctionsCPU._loaded_namespace = SimpleNamespace(
            Quantize_forward=plain.forward, Quantize_backward=plain.backward
        )
    logger = logging.getLogger("nncf")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield nncf
    finally:
        logger.setLevel(level)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@dataclass(frozen=True)
class ConvNode:
    """One convolution of the graph."""

    path: str
    """Path of the `nn.Conv2d` inside the layer."""
    op: str
    """NNCF's name of the operation."""
    readers: tuple[str, ...]
    """Operations that read the output, looking through activations."""
    leaves: bool
    """Whether the output, looking through activations, is an output of the layer."""
    rectified: bool
    """Whether a ReLU is the only reader of the output."""


class ConvGraph:
    """The convolutions and batch norms of a layer, found by running one step of it."""

    def __init__(self, step: FlatStep, example: tuple[Tensor, ...]) -> None:
        with offline_nncf() as nncf:
            wrapped = nncf.torch.wrap_model(step, example_input=example, trace_parameters=True)
            self._graph = wrapped.get_graph()

    def convs(self) -> list[ConvNode]:
        """All convolutions, in order of execution."""
        return [self._conv(node) for node in self._of_type("conv2d")]

    def folds(self) -> list[tuple[str, str]]:
        """Paths of (convolution, batch norm) pairs where only the norm reads the convolution."""
        pairs = []
        for norm in self._of_type("batch_norm"):
            before = self._data_inputs(norm)[0]
            if before.node_type == "conv2d" and len(self._graph.get_next_nodes(before)) == 1:
                pairs.append((self._path(before), self._path(norm)))
        return pairs

    def input_chain(self, op: str) -> list[str]:
        """Return operations preceding ``op`` through single data inputs, nearest first."""
        node = self._graph.get_node_by_name(op)
        chain = []
        while len(inputs := self._data_inputs(node)) == 1:
            node = inputs[0]
            chain.append(node.node_name)
        return chain

    def _of_type(self, kind: str) -> list[Any]:
        nodes = self._graph.get_all_nodes()
        return sorted((n for n in nodes if n.node_type == kind), key=lambda n: n.node_id)

    def _conv(self, node: Any) -> ConvNode:
        readers = self._graph.get_next_nodes(node)
        rectified = [n for n in readers if n.node_type in PASS_THROUGH]
        beyond = [n for n in readers if n not in rectified]
        for relu in rectified:
            beyond += self._graph.get_next_nodes(relu)
        return ConvNode(
            self._path(node),
            node.node_name,
            tuple(n.node_name for n in beyond),
            any(n.node_type == "nncf_model_output" for n in beyond),
            len(rectified) == len(readers) > 0,
        )

    def _data_inputs(self, node: Any) -> list[Any]:
        before = self._graph.get_previous_nodes(node)
        return [n for n in before if n.node_type != "nncf_model_const"]

    def _path(self, node: Any) -> str:
        """Return the module path of an operation with weights, from its constants' names."""
        constants = self._graph.get_previous_nodes(node)
        name = next(n.node_name for n in constants if n.node_type == "nncf_model_const")
        return str(name).removeprefix("layer.").rpartition(".")[0]
