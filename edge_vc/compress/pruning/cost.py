"""Cost of a student, and the widths with which it meets a target."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_vc.compress.pruning.settings import TargetSettings
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.size import trunk_weights
from edge_vc.models.student.student import Student

NARROWEST = 0.1
"""Least share of its width that a student keeps: with less it could not learn."""


class TargetError(ValueError):
    """A target that no pruning can meet; one line with the figure and the lowest possible one."""


@dataclass(frozen=True)
class Cost:
    """What one student costs a board."""

    parameters: int
    trunk_weights: int
    """Number of weights that become INT8, i.e. their size in bytes."""
    mmacs: float
    """Million multiply-accumulates per second of audio."""
    latency_ms: float
    """Algorithmic latency: one hop plus look-ahead, derived from the layers."""


def cost_of(student: Student) -> Cost:
    """Measure a student, which is left in ``eval`` mode: a training norm cannot run on one hop."""
    student.eval()
    return Cost(
        student.count_parameters(),
        student.trunk_parameters(),
        student.macs_per_second() / 1e6,
        student.algorithmic_latency_ms,
    )


def fit_config(config: StudentConfig, target: TargetSettings, round_to: int = 8) -> StudentConfig:
    """Return ``config`` narrowed until it meets ``target``; unchanged if it already does.

    Stream and output channels shrink by the same factor, to multiples of ``round_to``; the
    remaining budget goes to the hidden channels, in almost equal shares. Every trunk weight is used
    once per frame, so both limits restrict the number of weights.
    Raises `TargetError` if a tenth of the width is still too much.
    """
    frame = _Frame.of(config)
    if frame.spare(config, target) >= 0:
        return config
    if frame.spare(_scaled(config, NARROWEST, 1), target) < 0:
        raise TargetError(_impossible(config, frame, target))
    low, high = NARROWEST, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        enough = frame.spare(_scaled(config, middle, 1), target) >= 0
        low, high = (middle, high) if enough else (low, middle)
    narrow = _scaled(config, low, round_to)
    blocks = len(config.hidden)
    bare = replace(narrow, hidden=(1,) * blocks)
    affordable = blocks + frame.spare(bare, target) // (2 * narrow.channels)
    share, more = divmod(int(affordable) // round_to, blocks)
    hidden = tuple(
        max(1, min(round_to * (share + (block < more)), before))
        for block, before in enumerate(config.hidden)
    )
    return replace(narrow, hidden=hidden)


@dataclass(frozen=True)
class _Frame:
    """Multiply-accumulates per frame that do not depend on the trunk's widths."""

    fixed: float
    per_output: int
    """Additional ones for each output channel: the head's first layer."""

    @classmethod
    def of(cls, config: StudentConfig) -> _Frame:
        student = Student(config).eval()
        per_output = student.head.get_submodule("controls").get_parameter("weight").shape[0]
        total = student.macs_per_second() * config.hop / config.sample_rate
        return cls(total - trunk_weights(config) - config.outputs * per_output, per_output)

    def macs(self, config: StudentConfig) -> float:
        return self.fixed + config.outputs * self.per_output + trunk_weights(config)

    def spare(self, config: StudentConfig, target: TargetSettings) -> float:
        """Return how many more trunk weights ``config`` may have; negative for too many."""
        most = target.max_mmacs * 1e6 * config.hop / config.sample_rate
        return min(most - self.macs(config), target.max_weight_kb * 1e3 - trunk_weights(config))


def _scaled(config: StudentConfig, share: float, round_to: int) -> StudentConfig:
    def width(channels: int) -> int:
        return max(round_to, int(channels * share) // round_to * round_to)

    return replace(
        config,
        channels=width(config.channels),
        outputs=width(config.outputs),
        hidden=tuple(width(hidden) for hidden in config.hidden),
    )


def _impossible(config: StudentConfig, frame: _Frame, target: TargetSettings) -> str:
    least = _scaled(config, NARROWEST, 1)
    mmacs = frame.macs(least) * config.sample_rate / config.hop / 1e6
    if mmacs > target.max_mmacs:
        return (
            f"target.max_mmacs = {target.max_mmacs:g}: this student needs {mmacs:.1f} at its "
            f"narrowest; allowed are {mmacs:.1f} and more"
        )
    kilo = trunk_weights(least) / 1e3
    return (
        f"target.max_weight_kb = {target.max_weight_kb:g}: this student needs {kilo:.1f} at its "
        f"narrowest; allowed are {kilo:.1f} and more"
    )
