"""Heads, from the trunk's features to audio: a source-filter head and a plain spectral one."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.frontend import mel_points, row_frequencies, triangles
from edge_vc.nn import CausalISTFT, CausalSTFT, HarmonicSource, NoiseSource, State, StreamingLayer
from edge_vc.nn.harmonic import WIDTH
from edge_vc.nn.layer import branch, join_state


@dataclass(frozen=True)
class Prediction:
    """What the student predicts for each frame, before synthesis."""

    features: Tensor
    """The trunk's output ``[B, outputs, 1, F]``."""
    bands: Tensor
    """Filters: ``[B, bands, 2, F]`` for harmonic and noise log-gain (nats), 3 with the harmonic
    phase (radians) where it is predicted, or ``[B, rows, 2, F]`` for log-magnitude and phase of
    the plain head."""
    log_f0: Tensor | None = None
    """Natural logarithm of F0 in Hz, ``[B, 1, 1, F]``; None from a head alone."""
    voicing: Tensor | None = None
    """Logit of being voiced, ``[B, 1, 1, F]``; None from the plain head."""
    phase: Tensor | None = None
    """Phase of the harmonic filter, radians, ``[B, bands, 1, F]``, if it depends on the voice."""


class Head(StreamingLayer):
    """Features ``[B, outputs, 1, F]`` to audio ``[B, 1, 1, F * hop]``."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__()
        self.istft = CausalISTFT(config.synthesis_window, config.hop)
        self.ratio, self.delay = self.istft.ratio, self.istft.delay

    @abstractmethod
    def predict(self, features: Tensor) -> Prediction:
        """Predict the controls of every frame from ``features``, without state."""

    @abstractmethod
    def sound(
        self,
        prediction: Prediction,
        state: State,
        f0: Tensor | None = None,
        voicing: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Synthesise a prediction's audio; see `Student.synthesize` for ``f0`` and ``voicing``."""

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Predict and synthesise the frames ``x``."""
        return self.sound(self.predict(x), state)


class SourceFilterHead(Head):
    """Pulses at the predicted F0 and white noise, each through its own smooth filter.

    The filters are given in mel-spaced bands and interpolated at the transform's rows: a few
    slowly varying numbers, which a quantised trunk can represent (a neural source-filter model in
    the spectral domain, after Wang et al., 2019). The harmonic filter's phase is one learned curve
    for the voice, unless the configuration has it predicted frame by frame.
    """

    curves: Tensor

    def __init__(self, config: StudentConfig) -> None:
        super().__init__(config)
        self.size, self.filters = config.bands, 3 if config.phase == "predicted" else 2
        self.controls = nn.Conv2d(config.outputs, self.filters * config.bands + 1, 1)
        if config.phase == "fixed":
            self.phase = nn.Parameter(torch.zeros(config.bands))
        self.harmonic = HarmonicSource(config.sample_rate, config.hop)
        self.stft = CausalSTFT(config.synthesis_window, config.hop, "sine")
        self.noise = NoiseSource(len(self.istft.bins))
        matrix = _curves(config, self.istft.bins)
        self.register_buffer("curves", matrix[:, :, None, None], persistent=False)
        _start_quiet(self.controls, self._first_bias(config, self.filters))

    def init_state(self, batch: int) -> State:
        """Return the states of the two sources, the analysis and the synthesis."""
        return join_state(
            harmonic=self.harmonic.init_state(batch),
            stft=self.stft.init_state(batch),
            noise=self.noise.init_state(batch),
            istft=self.istft.init_state(batch),
        )

    @staticmethod
    def _first_bias(config: StudentConfig, filters: int) -> Tensor:
        """Return controls of a soft, even spectrum, which compensate the slope of the pulses."""
        cycles = mel_points(config.bands, 0.0, 0.5 * config.sample_rate) / config.sample_rate
        harmonic = -1.5 + (2 * math.pi * WIDTH * cycles) ** 2 / 2
        bands = torch.stack([harmonic, torch.full_like(cycles, -2.8), 0 * cycles], dim=1)
        return torch.cat([bands[:, :filters].flatten(), torch.zeros(1)]).float()

    def predict(self, features: Tensor) -> Prediction:
        """Predict voicing and the filters from ``features``; F0 comes from elsewhere."""
        sizes = [self.filters * self.size, 1]
        bands, voicing = torch.split(self.controls(features), sizes, dim=1)
        bands = bands.reshape(-1, self.size, self.filters, int(features.shape[-1]))
        return Prediction(features, bands, voicing=voicing)

    def sound(
        self,
        prediction: Prediction,
        state: State,
        f0: Tensor | None = None,
        voicing: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Filter pulses and noise and sum them; see `Student.synthesize`."""
        if prediction.voicing is None:
            raise ValueError("this prediction has no F0 and voicing: it is from an istft head")
        if f0 is None:
            if prediction.log_f0 is None:
                raise ValueError("this prediction has no F0: give one, or predict with the student")
            f0 = prediction.log_f0.exp()
        voicing = prediction.voicing.sigmoid() if voicing is None else voicing
        pulses, harmonic = self.harmonic.step(f0, branch(state, "harmonic"))
        pulse, stft = self.stft.step(pulses, branch(state, "stft"))
        white, noise = self.noise.step(f0, branch(state, "noise"))
        curves = functional.conv2d(prediction.bands, self.curves)
        gain, noise_gain, *own = torch.split(curves, 1, dim=2)
        phase = own[0] if own else self._phase(prediction)
        voiced = rotate(pulse, phase) * (gain.exp() * voicing)
        spectra = voiced + white * noise_gain.exp()
        audio, istft = self.istft.step(spectra, branch(state, "istft"))
        return audio, join_state(harmonic=harmonic, stft=stft, noise=noise, istft=istft)

    def _phase(self, prediction: Prediction) -> Tensor:
        """Return the harmonic filter's phase, ``[rows, 1, 1]`` or ``[B, rows, 1, F]``."""
        if prediction.phase is not None:
            return functional.conv2d(prediction.phase, self.curves)
        return (self.curves[:, :, 0, 0] @ self.phase)[:, None, None]


class SpectralHead(Head):
    """Log-magnitude and phase of every bin, straight to the inverse transform (Vocos, 2023)."""

    def __init__(self, config: StudentConfig) -> None:
        super().__init__(config)
        self.controls = nn.Conv2d(config.outputs, 2 * len(self.istft.bins), 1)
        _start_quiet(self.controls, torch.tensor([-3.0, 0.0]).repeat(len(self.istft.bins)))

    def init_state(self, batch: int) -> State:
        """Return the state of the synthesis."""
        return join_state(istft=self.istft.init_state(batch))

    def predict(self, features: Tensor) -> Prediction:
        """Predict log-magnitude and phase of every row from ``features``."""
        frames = int(features.shape[-1])
        bands = self.controls(features).reshape(-1, len(self.istft.bins), 2, frames)
        return Prediction(features, bands)

    def sound(
        self,
        prediction: Prediction,
        state: State,
        f0: Tensor | None = None,
        voicing: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """Invert the predicted spectra; there is no source for F0 or voicing to drive."""
        if f0 is not None or voicing is not None:
            raise ValueError("the istft head has no source: leave f0 and voicing out")
        magnitude, phase = torch.split(prediction.bands, 1, dim=2)
        spectra = torch.cat([phase.cos(), phase.sin()], dim=2) * magnitude.exp()
        audio, istft = self.istft.step(spectra, branch(state, "istft"))
        return audio, join_state(istft=istft)


HEADS: dict[str, type[Head]] = {"source-filter": SourceFilterHead, "istft": SpectralHead}


def rotate(spectra: Tensor, phase: Tensor) -> Tensor:
    """Rotate ``spectra`` ``[B, rows, 2, F]`` by ``phase`` ``[B, rows, 1, F]`` radians."""
    both = phase * torch.tensor([[-1.0], [1.0]], device=phase.device)
    return spectra * phase.cos() + spectra.flip(2) * both.sin()


def _curves(config: StudentConfig, bins: tuple[int, ...]) -> Tensor:
    """Return ``[rows, bands]``, which interpolates linearly between mel-spaced bands up to half the
    sample rate.
    """
    rows = row_frequencies(bins, config.synthesis_window, config.sample_rate)
    half = config.sample_rate / 2
    points = mel_points(config.bands, 0.0, half)
    beyond = torch.cat([points[:1] - half, points, points[-1:] + half])
    return triangles(beyond, rows, 0.0).nan_to_num().T.float()


def _start_quiet(controls: nn.Conv2d, bias: Tensor) -> None:
    """Initialise ``controls`` with ``bias``, so that an untrained head is soft, not loud."""
    nn.init.normal_(controls.weight, std=0.02)
    controls.bias = nn.Parameter(bias)
