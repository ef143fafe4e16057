"""A resampler for blocks of one length: one small matrix product each, ten times less work.

The audio loop resamples twice per hop, for hours. On a small board, sample-by-sample resampling
would cost more than anything else except the model.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.lib.stride_tricks import as_strided

from edge_vc_runtime.audio.polyphase import PolyphaseResampler, half_length, polyphase_filters
from edge_vc_runtime.samples import Samples

_LEAST_COLUMNS = 16  # outputs per row: with fewer, the product would be slow
_MOST_COEFFICIENTS = 1 << 18  # of the matrix if not divided into rows: 1 MB


class BlockResampler:
    """Streams blocks ``[block]`` from one rate to another, with `PolyphaseResampler`'s filters.

    Every block gives ``block * to_rate / from_rate`` samples, which has to be a whole number. The
    output is delayed by `delay_ms`, so that block ``n`` of the output needs no later input.
    """

    def __init__(self, from_rate: int, to_rate: int, block: int, most_blocks: int = 2) -> None:
        """Set the rates in Hz, samples per block, and the maximum number of blocks per `push`."""
        common = gcd(from_rate, to_rate)
        up, down = to_rate // common, from_rate // common
        if block * up % down:
            raise ValueError(
                f"{block} samples at {from_rate} Hz are not a whole number at {to_rate}"
            )
        half = half_length(from_rate, to_rate)
        self.delay_ms = half / from_rate * 1000
        self.block = block
        self.given = block * up // down
        """Output samples per block."""
        rows = _rows(block, down, self.given)
        step = block // rows
        history = 2 * half - 1
        self._matrix = _matrix(up, down, half, step + history, self.given // rows)
        self._line = np.zeros(history + block, np.float32)
        item = self._line.itemsize
        self._windows = as_strided(self._line, (rows, step + history), (step * item, item))
        self._rows = np.zeros((rows, step + history), np.float32)
        self._out = np.zeros((most_blocks, rows, self.given // rows), np.float32)

    def push(self, samples: Samples) -> Samples:
        """Take ``[k * block]`` and return ``[k * given]``, overwritten by the next call."""
        count = samples.shape[0] // self.block
        for index in range(count):
            self._load(samples[index * self.block : (index + 1) * self.block])
            np.copyto(self._rows, self._windows)  # matmul cannot use overlapping rows
            np.matmul(self._rows, self._matrix, out=self._out[index])
            self._shift()
        return self._out[:count].reshape(-1)

    def _load(self, block: Samples) -> None:
        self._line[self._line.shape[0] - self.block :] = block

    def _shift(self) -> None:
        self._line[: self._line.shape[0] - self.block] = self._line[self.block :]


def streaming_resampler(
    from_rate: int, to_rate: int, block: int
) -> BlockResampler | PolyphaseResampler:
    """Return the cheapest resampler for blocks of that length; equal rates pass unchanged.

    Raises `AudioIOError` if the rates have no small integer ratio.
    """
    if from_rate == to_rate or not fits_blocks(from_rate, to_rate, block):
        return PolyphaseResampler(from_rate, to_rate)
    return BlockResampler(from_rate, to_rate, block)


def fits_blocks(from_rate: int, to_rate: int, block: int) -> bool:
    """Return whether a block gives a whole number of samples with a matrix of acceptable size."""
    outputs, rest = divmod(block * to_rate, from_rate)
    size = (block + 2 * half_length(from_rate, to_rate)) * outputs
    return not rest and size <= _MOST_COEFFICIENTS


def _rows(block: int, down: int, outputs: int) -> int:
    """Return the number of equal parts that a block is divided into, each a row of the product."""
    periods = block // down
    fitting = [n for n in range(1, periods + 1) if periods % n == 0]
    return max((n for n in fitting if outputs // n >= _LEAST_COLUMNS), default=1)


def _matrix(up: int, down: int, half: int, width: int, outputs: int) -> Samples:
    """Return ``[width, outputs]``: each output's column holds its filter at its position."""
    filters = polyphase_filters(up, down, half)
    matrix = np.zeros((width, outputs), np.float32)
    for output in range(outputs):
        first, phase = divmod(output * down, up)
        matrix[first : first + 2 * half, output] = filters[phase]
    return matrix
