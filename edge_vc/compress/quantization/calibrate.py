"""Post-training quantisation by NNCF, calibrated on a layer streaming speech."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from edge_vc.compress.quantization.nncf_graph import ConvGraph, ConvNode, offline_nncf
from edge_vc.nn.conditioned import Inputs
from edge_vc.nn.flat_step import FlatStep, StreamedSteps, TooShortError
from edge_vc.nn.layer import StreamingLayer
from edge_vc.nn.quantized_conv import QuantParams
from edge_vc.workers.progress import Progress, no_progress

FLOAT_OPERATIONS = ["add", "__add__", "__iadd__", "add_", "mul", "__mul__"]
"""Operations between convolutions: skips, and the modulation by conditioning inputs."""


@dataclass(frozen=True)
class ConvPlan:
    """Quantisation of one convolution."""

    path: str
    input_params: QuantParams
    output_params: QuantParams | None
    """None if the next quantised convolution quantises the output anyway."""
    bias: Tensor | None
    """Bias corrected so that quantisation preserves the mean of the output, ``[out]``."""


def calibrate(
    layer: StreamingLayer,
    signals: Sequence[Tensor],
    *,
    frames: int,
    inputs: Sequence[Inputs] = (),
    bias_correction: bool = False,
    progress: Progress = no_progress,
) -> list[ConvPlan]:
    """Determine how to quantise ``layer``'s convolutions by streaming ``signals`` ``[1, C, 1, T]``.

    A convolution whose output is an output of the layer stays float: measured on a trunk,
    quantising that one small layer costs 3 dB of signal-to-noise ratio and saves no time.
    ``layer`` is not changed; batch norms must have been folded. Any number of ``frames`` can be
    processed per step: streaming gives the same values for any block size. ``inputs`` are the
    conditioning of each signal, if the layer has conditioning inputs.
    """
    step = FlatStep(layer).eval()
    steps = list(StreamedSteps(step, signals, frames, inputs))
    if not steps:
        raise TooShortError(
            f"calibration needs at least {frames} frames of speech, all recordings are shorter"
        )
    graph = ConvGraph(copy.deepcopy(step), steps[0])
    chosen = [conv for conv in graph.convs() if not conv.leaves]
    exact = [conv.op for conv in graph.convs() if conv.leaves]
    ranges = _output_ranges(step, chosen, progress(steps, len(steps), "ranges"))
    quantized = _nncf_quantize(step, _Watched(steps, progress), exact, bias_correction)
    ops = {conv.op for conv in chosen}
    return [_plan(conv, ops, graph, quantized, ranges) for conv in chosen]


@dataclass(frozen=True)
class _Watched:
    """A data source that can be iterated repeatedly, with progress."""

    steps: list[tuple[Tensor, ...]]
    progress: Progress

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        return iter(self.progress(self.steps, len(self.steps), "calibration"))


def _nncf_quantize(
    step: FlatStep, steps: _Watched, exact: list[str], bias_correction: bool
) -> nn.Module:
    with offline_nncf() as nncf:
        from nncf.quantization.advanced_parameters import (
            AdvancedQuantizationParameters,
            QuantizationParameters,
        )
        from nncf.quantization.range_estimator import RangeEstimatorParametersSet

        advanced = AdvancedQuantizationParameters(
            # Halving the range of the weights would help only x86 without VNNI.
            overflow_fix=nncf.OverflowFix.DISABLE,
            disable_bias_correction=not bias_correction,
            activations_quantization_params=QuantizationParameters(
                mode="asymmetric", per_channel=False
            ),
            weights_quantization_params=QuantizationParameters(
                mode="symmetric", per_channel=True, signedness_to_force=True
            ),
            # Averages over short steps would clip loud parts.
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX,
        )
        scope = nncf.IgnoredScope(names=exact, types=FLOAT_OPERATIONS, validate=False)
        quantized: nn.Module = nncf.quantize(
            copy.deepcopy(step),
            nncf.Dataset(steps),
            subset_size=len(steps),
            target_device=nncf.TargetDevice.CPU,
            ignored_scope=scope,
            advanced_parameters=advanced,
        )
    return quantized


@torch.no_grad()
def _output_ranges(
    step: FlatStep, convs: list[ConvNode], steps: Iterable[tuple[Tensor, ...]]
) -> dict[str, tuple[float, float]]:
    """Return the smallest and largest output of each convolution over ``steps``."""
    ranges = {conv.path: (0.0, 0.0) for conv in convs}

    def watch(path: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            low, high = ranges[path]
            ranges[path] = (min(low, float(output.min())), max(high, float(output.max())))

        return hook

    handles = [step.layer.get_submodule(p).register_forward_hook(watch(p)) for p in ranges]
    try:
        for inputs in steps:
            step(*inputs)
    finally:
        for handle in handles:
            handle.remove()
    return ranges


def _plan(
    conv: ConvNode,
    quantized_ops: set[str],
    graph: ConvGraph,
    quantized: nn.Module,
    ranges: Mapping[str, tuple[float, float]],
) -> ConvPlan:
    low, high = ranges[conv.path]
    output = None
    if not quantized_ops.issuperset(conv.readers):
        output = QuantParams.spanning(0.0 if conv.rectified else low, high)
    module = quantized.get_submodule("layer").get_submodule(conv.path)
    bias = dict(module.named_parameters()).get("bias")
    corrected = None if bias is None else bias.detach().clone()
    return ConvPlan(conv.path, _input_params(conv, graph, quantized), output, corrected)


def _input_params(conv: ConvNode, graph: ConvGraph, quantized: nn.Module) -> QuantParams:
    """Return the quantiser before a convolution: its own, or the nearest preceding one."""
    from nncf.torch.function_hook.wrapper import get_hook_storage

    hooks = dict(get_hook_storage(quantized).named_hooks())
    names = [f"pre_hooks.{conv.op}__0.0"]
    names += [f"post_hooks.{op}__0.0" for op in graph.input_chain(conv.op)]
    for name in names:
        if name in hooks:
            low, span = hooks[name].input_low.item(), hooks[name].input_range.item()
            return QuantParams.spanning(low, low + span)
    raise RuntimeError(f"NNCF put no quantiser in front of {conv.path} ({conv.op})")
