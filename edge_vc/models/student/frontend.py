"""The front end: audio to normalised log-mel frames, causal."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from edge_vc.models.student.config import NO_FLOOR, StudentConfig
from edge_vc.nn import CausalSTFT, RecoveringMean, RunningMean, State, StreamingLayer
from edge_vc.nn.layer import branch, join_state
from edge_vc.nn.stft import make_window

PRIOR = -7.0
"""Initial mean log-mel in nats if no corpus mean was set: speech near -30 dB."""

PRIOR_SECONDS = 0.3
"""Weight of the prior, as a duration of louder frames."""
MEMORY_SECONDS = 3.0
"""Longest duration of louder frames that the running mean covers."""
RECOVERY_SECONDS = 0.2
"""Duration of louder frames that the recovering mean covers after something loud."""
GATED_FALL_DB_PER_SECOND = 1.0
"""Decay rate of the peak that frames are compared with in the gated mean."""
FALL_DB_PER_SECOND = 30.0
"""Decay rate of the peak that shows the recovering mean that something loud is over."""
RISE_DB_PER_SECOND = 6.0
"""Rate at which the recovering mean's noise floor rises."""


def mel(hz: float) -> float:
    """Return O'Shaughnessy's mel value (1987) of a frequency in Hz."""
    return 2595 * math.log10(1 + hz / 700)


def mel_points(count: int, low_hz: float, high_hz: float) -> Tensor:
    """Return ``count`` frequencies in Hz, evenly spaced in mel, both ends included."""
    mels = torch.linspace(mel(low_hz), mel(high_hz), count, dtype=torch.float64)
    return 700 * (10 ** (mels / 2595) - 1)


def triangles(centres: Tensor, frequencies: Tensor, narrowest_hz: float) -> Tensor:
    """Return triangles ``[len(centres) - 2, len(frequencies)]`` at the inner centres, each 0..1.

    A triangle extends to its neighbours, but by at least ``narrowest_hz`` to either side: the
    lowest mel bands are narrower than a bin and would otherwise contain none.
    """
    low, mid, high = centres[:-2, None], centres[1:-1, None], centres[2:, None]
    rise = (frequencies - mid) / (mid - low).clamp(min=narrowest_hz)
    fall = (mid - frequencies) / (high - mid).clamp(min=narrowest_hz)
    return (1 + torch.minimum(rise, fall)).clamp(min=0)


def row_frequencies(bins: Sequence[int], window: int, sample_rate: int) -> Tensor:
    """Return each transform row's frequency in Hz, NaN for rows that duplicate another."""
    rows = torch.tensor(bins, dtype=torch.float64)
    return torch.where(rows < 0, torch.nan, rows * sample_rate / window)


def mel_matrix(config: StudentConfig, bins: Sequence[int]) -> Tensor:
    """Return mel weights ``[mels, rows]`` over half the bin powers (the mean of both parts).

    White noise of unit power has unit power in every band.
    """
    frequencies = row_frequencies(bins, config.analysis_window, config.sample_rate)
    centres = mel_points(config.mels + 2, 0.0, config.sample_rate / 2)
    bin_hz = config.sample_rate / config.analysis_window
    hats = triangles(centres, frequencies, bin_hz).nan_to_num()
    power = make_window("hann", config.analysis_window).double().square().sum()
    return (hats / hats.sum(dim=1, keepdim=True) * 2 / power).float()


def channel_norm(config: StudentConfig) -> RunningMean | RecoveringMean:
    """Return the running mean that ``config.channel_norm`` names, with durations as above."""
    rate = config.frame_rate
    prior, memory = max(1, round(PRIOR_SECONDS * rate)), round(MEMORY_SECONDS * rate)
    if config.channel_norm == "gated":
        return RunningMean(
            config.mels,
            prior_frames=prior,
            memory_frames=memory,
            fall_db=GATED_FALL_DB_PER_SECOND / rate,
        )
    return RecoveringMean(
        config.mels,
        prior_frames=prior,
        memory_frames=memory,
        recovery_frames=max(1, round(RECOVERY_SECONDS * rate)),
        fall_db=FALL_DB_PER_SECOND / rate,
        rise_db=RISE_DB_PER_SECOND / rate,
    )


class Frontend(StreamingLayer):
    """Audio ``[B, 1, 1, T]`` to log-mels ``[B, mels, 1, T / hop]`` minus their running mean."""

    mel: Tensor
    prior: Tensor

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.stft = CausalSTFT(config.analysis_window, config.hop)
        self.norm = channel_norm(config)
        self.block, self.ratio = self.stft.block, self.stft.ratio
        self.floor = config.log_floor
        self.input_floor = config.input_floor
        matrix = mel_matrix(config, self.stft.bins)
        self.register_buffer("mel", matrix[:, :, None, None], persistent=False)
        self.register_buffer("prior", torch.full((config.mels,), PRIOR))

    def set_prior(self, log_mels: Tensor) -> None:
        """Set the prior to the mean log-mels ``[mels]`` of a corpus's louder frames, in nats.

        Streams are normalised by it until they have a mean of their own.
        """
        if log_mels.shape != self.prior.shape:
            raise ValueError(
                f"the prior has shape {list(self.prior.shape)}, got {list(log_mels.shape)}"
            )
        self.prior.copy_(log_mels)

    def init_state(self, batch: int) -> State:
        """Return the states of ``stft`` and ``norm``."""
        return join_state(stft=self.stft.init_state(batch), norm=self.norm.init_state(batch))

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the normalised log-mels of every hop of ``x``."""
        power, stft = self._power(x, branch(state, "stft"))
        scale = torch.exp(-self.prior)  # before the logarithm, where it folds into the weights
        mels = functional.conv2d(power, self.mel * scale[:, None, None, None], self.floor * scale)
        features, norm = self.norm.step(torch.log(mels), branch(state, "norm"))
        if self.input_floor > NO_FLOOR:
            features = features.clamp_min(self.input_floor)
        return features, join_state(stft=stft, norm=norm)

    def log_mels(self, x: Tensor) -> Tensor:
        """Return the log-mels of ``x`` in nats before the prior and the mean are subtracted."""
        power, _ = self._power(x, self.stft.init_state(x.shape[0]))
        return torch.log(functional.conv2d(power, self.mel) + self.floor)

    def _power(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the mean square of each bin's two parts, ``[B, rows, 1, F]``."""
        spectra, following = self.stft.step(x, state)
        # the two parts are pooled, not summed: that runs many times faster
        return functional.avg_pool2d(spectra * spectra, (2, 1)), following
