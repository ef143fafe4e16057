"""Clipping: peaks cut flat by a converter or an editor, at any level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TOP = 0.995
_RUN = 3
_QUIET = 0.05


def clipped(block: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return ``[T]``: which samples of ``[T, channels]`` were cut flat in any channel.

    They come in runs of three or more within half a per cent of the block's peak, so a clipped
    recording that was attenuated later is detected too; blocks below -26 dBFS are skipped.
    In clean speech, only single samples are that high; a share of 0.001 or more is clipping.
    Blocks should be seconds long, at the recording's own rate: resampling rounds off the peaks.
    """
    size = np.abs(block)
    peak = size.max(axis=0, initial=0.0)
    top = (size >= peak * _TOP) & (peak >= _QUIET)
    flat = np.zeros(block.shape[0], np.bool_)
    for channel in top.T:
        flat |= _in_runs(channel)
    return flat


def clipped_share(samples: NDArray[np.float32]) -> float:
    """Return the share of clipped samples in mono ``[T]``."""
    return float(clipped(samples[:, None]).mean()) if samples.size else 0.0


def _in_runs(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    starts, stops = edges[::2], edges[1::2]
    long = stops - starts >= _RUN
    change = np.zeros(flags.shape[0] + 1, np.int8)
    change[starts[long]] += 1
    change[stops[long]] -= 1
    return np.cumsum(change[:-1]).astype(np.bool_)
