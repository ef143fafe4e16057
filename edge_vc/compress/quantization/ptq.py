"""Convert a student's trunk to INT8: fold batch norms, replace convolutions, keep the rest."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import zip_longest

import torch
from torch import Tensor

from edge_vc.audio.distance import snr_db
from edge_vc.compress.quantization.calibrate import ConvPlan, calibrate
from edge_vc.compress.quantization.nncf_graph import ConvGraph
from edge_vc.models.student.input_track import varied_inputs
from edge_vc.models.student.student import Student
from edge_vc.nn.conditioned import ConditionedLayer, Inputs
from edge_vc.nn.flat_step import FlatStep
from edge_vc.nn.fold import fold_batch_norms, replace_module
from edge_vc.nn.layer import StreamingLayer
from edge_vc.nn.quantized_conv import QuantizedConv2d, quantized_convs
from edge_vc.workers.progress import Progress, no_progress

CALIBRATION_FRAMES = 50
"""Frames per calibration step."""
SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
"""Shares of the calibrated ranges that are tried."""


def folded(student: Student) -> Student:
    """Return a copy with the trunk's batch norms folded, which computes the same function."""
    student = copy.deepcopy(student).eval()
    step = FlatStep(student.trunk)
    example = torch.zeros(1, student.config.mels, 1, CALIBRATION_FRAMES)
    pairs = ConvGraph(
        copy.deepcopy(step), (example, *step.default_inputs(), *step.init_states())
    ).folds()
    fold_batch_norms(student.trunk, pairs)
    return student


def quantize(
    student: Student,
    speech: Sequence[Tensor],
    *,
    bias_correction: bool = False,
    progress: Progress = no_progress,
) -> Student:
    """Return an INT8 copy of ``student``, calibrated by streaming ``speech``.

    ``speech``: recordings ``[1, 1, 1, T]`` at the student's rate, each at least half a second long.
    Only the trunk changes: all its convolutions except the last. States stay float and keep their
    names; both ends of a state are quantised alike, so ``state.X`` and ``next.X`` have the same
    scale by construction. Recordings cycle through the voices, and through styles, for calibration.
    """
    quantized = folded(student)
    with torch.no_grad():
        hop = student.config.hop
        whole = [audio[..., : audio.shape[-1] // hop * hop] for audio in speech]
        features = [quantized.frontend(audio) for audio in whole]
        inputs = [
            quantized.film(quantized.condition(given, features[0][..., :1]))
            for given in varied_inputs(student.config, len(features))
        ]
    plans = calibrate(
        quantized.trunk,
        features,
        frames=CALIBRATION_FRAMES,
        inputs=inputs,
        bias_correction=bias_correction,
        progress=progress,
    )
    reference = copy.deepcopy(quantized.trunk)
    quantize_convs(quantized.trunk, plans)
    search_clipping(quantized.trunk, reference, features, inputs)
    return quantized


@torch.no_grad()
def search_clipping(
    quantized: StreamingLayer,
    reference: StreamingLayer,
    signals: Sequence[Tensor],
    inputs: Sequence[Inputs] = (),
) -> float:
    """Clip all activation ranges of ``quantized`` to the share that brings it closest to float.

    Ranges that cover every sample waste levels on outliers; a single share for all of them cannot
    overfit to the ``signals`` ``[1, C, 1, T]``. ``reference`` is the float layer; the criterion is
    the signal-to-noise ratio of the outputs. Returns the share; 1 if clipping does not help.
    ``inputs`` are the conditioning of each signal, for layers with conditioning inputs.
    """

    def outputs(layer: StreamingLayer) -> Tensor:
        given = inputs if isinstance(layer, ConditionedLayer) else ()
        calls = zip_longest(signals, given)
        return torch.cat([(layer(x, g) if g else layer(x)).flatten() for x, g in calls])

    truth = outputs(reference)

    def output_snr(share: float) -> float:
        candidate = copy.deepcopy(quantized)
        for conv in quantized_convs(candidate):
            conv.clip(share)
        return snr_db(truth, outputs(candidate))

    best = max(SHARES, key=output_snr)
    for conv in quantized_convs(quantized):
        conv.clip(best)
    return best


def quantize_convs(layer: StreamingLayer, plans: Sequence[ConvPlan]) -> None:
    """Replace the convolutions of ``layer`` listed in ``plans`` by quantised ones."""
    for plan in plans:
        conv = layer.get_submodule(plan.path)
        assert isinstance(conv, torch.nn.Conv2d)
        if plan.bias is not None:
            conv.bias = torch.nn.Parameter(plan.bias)
        replace_module(
            layer, plan.path, QuantizedConv2d(conv, plan.input_params, plan.output_params)
        )
