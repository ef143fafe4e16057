"""Structured pruning: remove the least important channels from all layers that use them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from edge_vc.compress.pruning.cost import fit_config
from edge_vc.compress.pruning.settings import TargetSettings
from edge_vc.models.student.conditioning import film_sizes
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.nn import Conv, Residual, Serial


class TrunkView(nn.Module):
    """The pruned part, without state: the trunk from silence, then the head's first layer."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.trunk = student.trunk
        self.controls = student.head.get_submodule("controls")

    def forward(self, mels: Tensor) -> Tensor:
        """Return the head's controls for ``mels`` ``[B, mels, 1, F]``."""
        # Modulations are narrowed with the channels they act on; see `_Surgery.narrow_modulation`.
        features, _ = Serial.step(self.trunk, mels, self.trunk.init_state(mels.shape[0]))
        y: Tensor = self.controls(features)
        return y


def prune_student(
    student: Student,
    target: TargetSettings,
    *,
    round_to: int = 8,
    loss: Callable[[Student], Tensor] | None = None,
) -> Student:
    """Return a narrower copy of ``student`` that meets ``target``, built from its own new config.

    Channels are ranked over all layers that share them by the L2 norm of their weights (Li et
    al. 2017, grouped as in DepGraph, Fang et al. 2023), or, with a ``loss`` to differentiate, by
    the first-order change of that loss (Molchanov et al. 2019). Hidden channels are ranked across
    blocks, in groups of ``round_to``. Raises `TargetError` if ``target`` cannot be met.
    """
    wanted = fit_config(student.config, target, round_to)
    pruned = copy.deepcopy(student).eval()
    if wanted == student.config:
        return pruned
    if loss is not None:
        loss(pruned).backward()
    surgery = _Surgery(pruned, taylor=loss is not None)
    hidden = _share_hidden(surgery, sum(wanted.hidden), round_to)
    config = replace(wanted, hidden=hidden)
    surgery.narrow(surgery.stream, config.channels)
    surgery.narrow(surgery.last, config.outputs)
    for conv, width in zip(surgery.hidden, config.hidden, strict=True):
        surgery.narrow(conv, width)
    surgery.narrow_modulation(student.config)
    return rebuilt(pruned, config)


def rebuilt(pruned: Student, config: StudentConfig) -> Student:
    """Return a new student of ``config`` with the weights of one pruned to it.

    Widths, states and delays are all derived from the configuration again; a mismatch is an error.
    """
    student = Student(config)
    student.load_state_dict(pruned.state_dict())
    return student.eval()


class _Surgery:
    """Ranks and removes channels of a student's trunk, in place."""

    def __init__(self, student: Student, taylor: bool) -> None:
        import torch_pruning

        self._tp = torch_pruning
        importance = torch_pruning.importance
        kind = importance.GroupTaylorImportance if taylor else importance.GroupMagnitudeImportance
        self._importance = kind()
        config = student.config
        example = torch.randn(1, config.mels, 1, 4 * config.kernel)
        view = TrunkView(student)
        self._graph = torch_pruning.DependencyGraph().build_dependency(view, example)
        assert isinstance(student.trunk, Serial)
        first, _, *blocks, last, _ = student.trunk
        self.stream, self.last = _conv(first), _conv(last)
        self.hidden = [_widening(block) for block in blocks]
        self._modulation = student.modulation
        self._kept: dict[nn.Conv2d, Tensor] = {}

    def scores(self, conv: nn.Conv2d) -> Tensor:
        """Return the importance of each output channel, 1 on average, ``[out]``."""
        scores: Tensor = self._importance(self._group(conv, range(conv.out_channels)))
        return scores.detach()

    def narrow(self, conv: nn.Conv2d, width: int) -> None:
        """Keep the ``width`` most important output channels of ``conv``."""
        order = self.scores(conv).argsort()
        leaving = order[: conv.out_channels - width]
        self._kept[conv] = order[conv.out_channels - width :].sort().values
        if len(leaving):
            self._group(conv, sorted(leaving.tolist())).prune()

    def narrow_modulation(self, before: StudentConfig) -> None:
        """Keep the modulations of the remaining channels; ``before`` has their old widths."""
        if self._modulation is None:
            return
        *stream, last = film_sizes(before)
        kept = [self._kept[self.stream]] * len(stream) + [self._kept[self.last]]
        rows, start = [], 0
        for size, channels in zip((*stream, last), kept, strict=True):
            rows += [start + channels, start + size + channels]
            start += 2 * size
        linear = self._modulation.linear
        linear.weight = nn.Parameter(linear.weight.detach()[torch.cat(rows)])

    def _group(self, conv: nn.Conv2d, channels: Any) -> Any:
        return self._graph.get_pruning_group(conv, self._tp.prune_conv_out_channels, list(channels))


def _share_hidden(surgery: _Surgery, total: int, round_to: int) -> tuple[int, ...]:
    """Distribute ``total`` hidden channels to the blocks: the best groups, at least one each."""
    bunches = []
    for block, conv in enumerate(surgery.hidden):
        ranked = surgery.scores(conv).sort(descending=True).values
        for position, bunch in enumerate(torch.split(ranked, round_to)):
            bunches.append((position > 0, -float(bunch.mean()), block, len(bunch)))
    widths = [0] * len(surgery.hidden)
    for _, _, block, size in sorted(bunches):
        if sum(widths) + size <= total or not widths[block]:
            widths[block] += size
    return tuple(widths)


def _conv(layer: nn.Module) -> nn.Conv2d:
    assert isinstance(layer, Conv)
    return layer.conv


def _widening(block: nn.Module) -> nn.Conv2d:
    """Return the 1x1 convolution of a block that produces its hidden channels."""
    assert isinstance(block, Residual)
    assert isinstance(block.inner, Serial)
    return _conv(block.inner[2])
