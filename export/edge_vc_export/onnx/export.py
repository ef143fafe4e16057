"""Export a streaming layer as an ONNX graph of one hop, with named states."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import cast

import onnx
import torch
from torch import Tensor
from torch.jit._trace import TracerWarning
from torch.onnx.errors import OnnxExporterError, UnsupportedOperatorError

from edge_vc.models.student.student import Student
from edge_vc.nn.flat_step import FlatStep
from edge_vc.nn.layer import StreamingLayer
from edge_vc_export.formats import UnsupportedOperationError
from edge_vc_export.onnx.cleanup import simplify, tidy
from edge_vc_export.onnx.graph import Graph
from edge_vc_export.onnx.layout import put_channels_last
from edge_vc_export.onnx.qdq import quantize_graph
from edge_vc_export.onnx.unsupported_layer import (
    LayerScopes,
    layer_running,
    layers_of,
)
from edge_vc_runtime.files.writing import write_whole

OPSET = 17
"""The newest opset supported by every board's runtime (JetPack 5 stops at 1.19)."""


def export_onnx(
    model: StreamingLayer,
    path: str | Path,
    *,
    hop: int,
    sample_rate: int,
    name: str,
    precision: str,
    licence: str,
) -> Path:
    """Write ``model``, audio ``[1, 1, 1, hop]`` in and out, as an ONNX file of one hop.

    Inputs are ``audio``, ``input.<name>`` for conditioning and ``state.<path>``, outputs
    ``audio_out`` and ``next.<path>``, all float32 and of fixed shape; contexts of one-frame
    layers have their channels last. Fake quantisers in the model become integer weights and the
    quantise-dequantise pairs that engines fuse. The same model gives the same bytes.

    Raises `ValueError` if the model cannot run in hops of this size, or if an ``int8`` one has
    no quantised layer.
    """
    graph = build_graph(model, hop=hop, name=name, precision=precision)
    metadata = graph_metadata(
        model, hop=hop, sample_rate=sample_rate, name=name, precision=precision, licence=licence
    )
    return save(graph, path, metadata)


def build_graph(
    model: StreamingLayer,
    *,
    hop: int,
    name: str,
    precision: str,
    check: Callable[[Graph], None] = lambda graph: None,
) -> Graph:
    """Return the graph of one hop that every format is written from; raises `ValueError`.

    ``check`` is called with it before any conversion. Raises `UnsupportedLayerError` with the layer
    that a format does not support.
    """
    _check(model, hop)
    silence = torch.zeros(1, 1, 1, hop)
    graph = simplify(trace(model, silence))
    check(graph)
    tidy(graph)
    put_channels_last(graph)
    form = quantize_graph(graph)
    if precision == "int8" and not form.integer:
        raise ValueError(f"{name} has no quantised convolution: quantise it, or export it as fp32")
    return tidy(graph)


def graph_metadata(
    model: StreamingLayer, *, hop: int, sample_rate: int, name: str, precision: str, licence: str
) -> dict[str, str]:
    """Return the metadata entries stored in a graph file itself."""
    inputs = model.config.inputs if isinstance(model, Student) else ()
    said = {"edge_vc.inputs": json.dumps([asdict(spec) for spec in inputs], sort_keys=True)}
    return (said if inputs else {}) | {
        "edge_vc.sample_rate": str(sample_rate),
        "edge_vc.hop": str(hop),
        "edge_vc.delay": str(model.delay),
        "edge_vc.name": name,
        "edge_vc.precision": precision,
        "edge_vc.licence": licence,
    }


def trace(
    model: StreamingLayer, x: Tensor, *, signal_in: str = "audio", signal_out: str = "audio_out"
) -> Graph:
    """Return the graph of one step of ``model`` over ``x`` ``[1, C, 1, T]``, not yet cleaned."""
    flat_step = FlatStep(model)
    states = dict(zip(flat_step.state_names, flat_step.init_states(), strict=True))
    given = flat_step.default_inputs()
    inputs = [
        signal_in,
        *(f"input.{name}" for name in flat_step.input_names),
        *(f"state.{name}" for name in states),
    ]
    outputs = [signal_out, *(f"next.{name}" for name in states)]
    file = io.BytesIO()
    training = [module for module in model.modules() if module.training]
    flat_step.eval()
    scopes = LayerScopes(model)
    try:
        with torch.no_grad(), _quiet(), scopes:
            _check_states(flat_step, states, (x, *given))
            torch.onnx.export(
                flat_step,
                (x, *given, *states.values()),
                cast(str, file),  # the annotation omits file objects, which are accepted
                input_names=inputs,
                output_names=outputs,
                opset_version=OPSET,
                dynamo=False,  # the other exporter rejects quantised modules
                training=torch.onnx.TrainingMode.PRESERVE,  # batch norms are folded later, by name
                do_constant_folding=True,
            )
    except OnnxExporterError as error:
        fact, layer = _refusal(error, scopes)
        raise fact.in_layer(layer or layer_running(model, x, _operation(error))) from error
    finally:
        for module in training:
            module.training = True
    graph = Graph(onnx.load_from_string(file.getvalue()))
    graph.layers = layers_of(graph.nodes)
    return graph


def _refusal(
    error: OnnxExporterError, scopes: LayerScopes
) -> tuple[UnsupportedOperationError, str]:
    """Return the exporter's error as one line, and the layer it concerns, if known."""
    if operation := _operation(error):
        fact = f"ONNX opset {OPSET} does not support {operation}"
        return UnsupportedOperationError(fact), scopes.layer_calling(operation)
    line = str(error).splitlines()[0].partition("Please feel free")[0].partition("[Caused")[0]
    return UnsupportedOperationError(line.rstrip(". ")), scopes.layer_in(str(error))


def _operation(error: OnnxExporterError) -> str:
    """Return the operation that the exporter does not support; empty for other errors."""
    if not isinstance(error, UnsupportedOperatorError):
        return ""
    return str(error).partition("'")[2].partition("'")[0]


def save(graph: Graph, path: str | Path, metadata: dict[str, str]) -> Path:
    """Check the graph and write it, completely or not at all."""
    model = graph.to_model(metadata)
    onnx.checker.check_model(model, full_check=True)
    return write_whole(path, model.SerializeToString(deterministic=True))


def _check(model: StreamingLayer, hop: int) -> None:
    if model.ratio != 1:
        raise ValueError(f"model gives {model.ratio} samples per sample, an audio graph gives one")
    if hop < 1 or hop % model.block:
        raise ValueError(f"hop {hop} is not a multiple of the model's block, {model.block} samples")


def _check_states(
    flat_step: FlatStep, states: Mapping[str, Tensor], signals: tuple[Tensor, ...]
) -> None:
    """Run one step before tracing; raise `ValueError` if a state changes its shape or dtype."""
    _, *following = flat_step(*signals, *states.values())
    for (name, before), after in zip(states.items(), following, strict=True):
        if before.shape != after.shape or before.dtype != after.dtype:
            raise ValueError(
                f"state {name} is {tuple(before.shape)} {before.dtype} before a step and "
                f"{tuple(after.shape)} {after.dtype} after it"
            )
        if before.dtype != torch.float32:
            raise ValueError(f"state {name} is {before.dtype}, graphs carry float32 only")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's warnings about fixed shapes: one hop per run is intended.

    On failure it also prints the whole graph to the process's standard output, from C++.
    """
    with warnings.catch_warnings(), tempfile.TemporaryFile() as aside:
        warnings.filterwarnings("ignore", category=TracerWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message="(Constant folding|.*onnx).*", module="torch")
        sys.stdout.flush()
        kept = os.dup(1)
        os.dup2(aside.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(kept, 1)
            os.close(kept)
