"""Audio to normalised log-mel frames, causal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from edge_vc.models.student_config import StudentConfig
from edge_vc.nn import CausalSTFT, RunningMean, State, StreamingLayer
from edge_vc.nn.layer import branch, join_state


def mel(hz: float) -> float:
    """Return O'Shaughnessy's mel value (1987) of a frequency in Hz."""
    return 2595 * math.log10(1 + hz / 700)


def mel_points(count: int, low_hz: float, high_hz: float) -> Tensor:
    """Return ``count`` frequencies in Hz, evenly spaced in mel, both ends included."""
    mels = torch.linspace(mel(low_hz), mel(high_hz), count, dtype=torch.float64)
    return 700 * (10 ** (mels / 2595) - 1)


def triangles(centres: Tensor, frequencies: Tensor, narrowest_hz: float) -> Tensor:
    """Return hats ``[len(centres) - 2, len(frequencies)]`` over the inner centres, each 0..1.

    A hat reaches to its neighbours, but never less than ``narrowest_hz`` either way: the
    lowest mel bands are narrower than a bin and would hear nothing.
    """
    low, mid, high = centres[:-2, None], centres[1:-1, None], centres[2:, None]
    rise = (frequencies - mid) / (mid - low).clamp(min=narrowest_hz)
    fall = (mid - frequencies) / (high - mid).clamp(min=narrowest_hz)
    return (1 + torch.minimum(rise, fall)).clamp(min=0)


def row_frequencies(bins: Sequence[int], window: int, sample_rate: int) -> Tensor:
    """Return each transform row's frequency in Hz, NaN for rows that repeat another."""
    rows = torch.tensor(bins, dtype=torch.float64)
    return torch.where(rows < 0, torch.nan, rows * sample_rate / window)


def mel_matrix(config: StudentConfig, bins: Sequence[int], taper: Tensor) -> Tensor:
    """Return mel weights ``[mels, rows]`` that give white noise of power one power one."""
    frequencies = row_frequencies(bins, config.analysis_window, config.sample_rate)
    centres = mel_points(config.mels + 2, 0.0, config.sample_rate / 2)
    bin_hz = config.sample_rate / config.analysis_window
    hats = triangles(centres, frequencies, bin_hz).nan_to_num()
    power = taper.double().square().sum()
    return (hats / hats.sum(dim=1, keepdim=True) / power).float()


class Frontend(StreamingLayer):
    """Audio ``[B, 1, 1, T]`` to log-mels ``[B, mels, 1, T / hop]`` less their running mean."""

    mel: Tensor

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.stft = CausalSTFT(config.analysis_window, config.hop)
        self.norm = RunningMean(config.mels)
        self.block, self.ratio = self.stft.block, self.stft.ratio
        self.log_floor = config.log_floor
        matrix = mel_matrix(config, self.stft.bins, self.stft.taper)
        self.register_buffer("mel", matrix[:, :, None, None], persistent=False)

    def init_state(self, batch: int) -> State:
        """Return the states of ``stft`` and ``norm``."""
        return join_state(stft=self.stft.init_state(batch), norm=self.norm.init_state(batch))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the normalised log-mels of every hop of ``x``."""
        logs, stft = self._log_mels(x, branch(state, "stft"))
        features, norm = self.norm.step(logs, branch(state, "norm"))
        return features, join_state(stft=stft, norm=norm)

    def log_mels(self, x: Tensor) -> Tensor:
        """Return ``x``'s log-mels in nats before normalisation: what `RunningMean` expects."""
        return self._log_mels(x, self.stft.init_state(x.shape[0]))[0]

    def _log_mels(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        spectra, following = self.stft.step(x, state)
        power = (spectra * spectra).sum(dim=2, keepdim=True)
        return torch.log(functional.conv2d(power, self.mel) + self.log_floor), following
