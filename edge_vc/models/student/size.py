"""A student's widths for a given number of weights, for like-for-like comparisons of size."""

from __future__ import annotations

from dataclasses import replace

from edge_vc.models.student.config import StudentConfig

ROUND_TO = 8


def trunk_weights(config: StudentConfig) -> int:
    """Return the weights of the trunk's convolutions: what `Student.trunk_parameters` counts."""
    first = config.mels * (config.first_lookahead + 1)
    depthwise = config.kernel * len(config.hidden)
    stream = config.channels * (first + depthwise + config.outputs)
    return stream + 2 * config.channels * sum(config.hidden)


def with_weights(config: StudentConfig, weights: int) -> StudentConfig:
    """Return ``config`` with all widths scaled equally, to at most ``weights`` trunk weights.

    Widths are multiples of `ROUND_TO`. Raises `ValueError` if the narrowest has more.
    """
    low, high = 0.0, 16.0
    for _ in range(30):
        middle = (low + high) / 2
        fits = trunk_weights(_scaled(config, middle)) <= weights
        low, high = (middle, high) if fits else (low, middle)
    scaled = _scaled(config, low)
    if trunk_weights(scaled) > weights:
        raise ValueError(f"{weights} weights: the narrowest has {trunk_weights(scaled)}")
    return scaled


def _scaled(config: StudentConfig, share: float) -> StudentConfig:
    def width(channels: int) -> int:
        return max(ROUND_TO, int(channels * share) // ROUND_TO * ROUND_TO)

    return replace(
        config,
        channels=width(config.channels),
        outputs=width(config.outputs),
        hidden=tuple(width(hidden) for hidden in config.hidden),
    )
