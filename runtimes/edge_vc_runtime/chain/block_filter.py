"""Recursive filters without a loop over samples.

A filter in state-space form ``s' = A s + B x, y = C s + D x`` maps a hop and the state before it
to the output and the state after it by precomputed matrices. The hop is divided into rows whose
length is about its square root, so that the matrices are small: one product gives the state before
every row, one the response to the row, one the response to the state. The result equals that of the
recursion except for rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge_vc_runtime.samples import Samples

Matrix = NDArray[np.float64]
Coefficients = tuple[Sequence[float], Sequence[float]]
"""Numerator and denominator of a transfer function in powers of 1/z; the latter starts with 1."""

_SILENCE = 1e-20  # smaller states are set to zero: denormal numbers are slow


class BlockFilter:
    """A low-order filter for hops of one length."""

    def __init__(self, coefficients: Coefficients, hop: int) -> None:
        a, b, c, d = _state_space(*coefficients)
        order = a.shape[0]
        row = math.isqrt(hop - 1) + 1
        rows = -(-hop // row)
        powers = [np.linalg.matrix_power(a, k) for k in range(rows * row + 1)]
        response = np.array([d, *(float(c @ powers[k] @ b) for k in range(row - 1))])
        lag = np.subtract.outer(np.arange(row), np.arange(row))
        self._row_response = np.ascontiguousarray(
            np.where(lag >= 0, response[np.maximum(lag, 0)], 0.0).T
        )
        self._state_response = np.stack([c @ powers[k] for k in range(row)], 1)
        self._advance = np.zeros(((rows + 1) * order, rows * row + order))
        for index, moment in enumerate([*range(0, rows * row, row), hop]):
            part = self._advance[index * order : (index + 1) * order]
            for sample in range(min(moment, hop)):
                part[:, sample] = powers[moment - 1 - sample] @ b
            part[:, rows * row :] = powers[moment]
        self._hop = hop
        self._allocate(rows, row, order)

    def _allocate(self, rows: int, row: int, order: int) -> None:
        self._input = np.zeros(rows * row + order)
        self._rows = self._input[: rows * row].reshape(rows, row)
        self._state = self._input[rows * row :]
        self._moments = np.zeros((rows + 1) * order)
        self._before = self._moments[: rows * order].reshape(rows, order)
        self._after = self._moments[rows * order :]
        self._output = np.zeros((rows, row))
        self._from_state = np.zeros((rows, row))
        self._flat = self._output.reshape(-1)[: self._hop]

    def step(self, audio: Samples) -> Matrix:
        """Filter ``[hop]``; the result, float64 ``[hop]``, is overwritten by the next step."""
        self._input[: self._hop] = audio
        np.dot(self._advance, self._input, out=self._moments)
        np.dot(self._rows, self._row_response, out=self._output)
        np.dot(self._before, self._state_response, out=self._from_state)
        self._output += self._from_state
        self._state[:] = self._after
        if abs(self._state[0]) < _SILENCE:
            self._state[np.abs(self._state) < _SILENCE] = 0.0
        return self._flat

    def reset(self) -> None:
        """Reset to silence."""
        self._state.fill(0.0)


def _state_space(
    numerator: Sequence[float], denominator: Sequence[float]
) -> tuple[Matrix, Matrix, Matrix, float]:
    """Return A, B, C and D of the transposed direct form II."""
    b, a = np.asarray(numerator, float), np.asarray(denominator, float)
    order = a.shape[0] - 1
    matrix = np.eye(order, k=1)
    matrix[:, 0] = -a[1:]
    output = np.zeros(order)
    output[0] = 1.0
    return matrix, b[1:] - a[1:] * b[0], output, float(b[0])


def high_pass(corner_hz: float, sample_rate: int) -> Coefficients:
    """Return a second-order Butterworth high-pass with gain 0 at DC."""
    k = math.tan(math.pi * corner_hz / sample_rate)
    norm = 1 + math.sqrt(2) * k + k * k
    gain = 1 / norm
    return (gain, -2 * gain, gain), (
        1.0,
        2 * (k * k - 1) / norm,
        (1 - math.sqrt(2) * k + k * k) / norm,
    )


def one_pole_low_pass(corner_hz: float, sample_rate: int) -> Coefficients:
    """Return a first-order low-pass with gain 1 at DC."""
    k = math.tan(math.pi * corner_hz / sample_rate)
    gain = k / (1 + k)
    return (gain, gain), (1.0, (k - 1) / (k + 1))


def one_pole_high_pass(corner_hz: float, sample_rate: int) -> Coefficients:
    """Return a first-order high-pass with gain 1 at the Nyquist frequency."""
    k = math.tan(math.pi * corner_hz / sample_rate)
    gain = 1 / (1 + k)
    return (gain, -gain), (1.0, (k - 1) / (k + 1))
