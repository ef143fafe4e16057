"""The teacher's synthesis: filters over pulses and noise."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edge_vc.audio.mel import hop_frames, mel_matrix
from edge_vc.models.voice.config import VoiceConfig

UNVOICED_HZ = 150.0
"""F0 of the pulses where they are inaudible."""
CHUNK_FRAMES = 2_000
"""Frames filtered at once, not counting the frames around them."""


class TeacherSourceFilterHead(nn.Module):
    """Filters on the STFT of a pulse train and of noise, then the inverse STFT."""

    def __init__(self, config: VoiceConfig) -> None:
        super().__init__()
        self.config = config
        self.bands = nn.Linear(config.channels, 3 * config.filter_bands)
        bank = mel_matrix(config.sample_rate, config.filter_window, config.filter_bands)
        spread = bank / bank.sum(0, keepdim=True).clamp_min(1e-8)
        spread[:, bank.sum(0) == 0] = 0
        spread[0, : int(bank[0].argmax())] = 1
        spread[-1, int(bank[-1].argmax()) :] = 1
        self.register_buffer("spread", spread, persistent=False)
        window = torch.hann_window(config.filter_window)
        self.register_buffer("window", window, persistent=False)
        self.spread: Tensor
        self.window: Tensor

    def forward(self, bands: Tensor, f0: Tensor, noise: Tensor, phase: float = 0.0) -> Tensor:
        """Synthesise ``[B, F * hop]`` from ``bands`` ``[B, 3 * bands, F]`` and ``f0`` ``[B, F]``.

        ``noise`` ``[B, F * hop]`` is white noise of unit power, ``phase`` that of the pulses at the
        start, in periods.
        """
        hop, frames = self.config.hop, bands.shape[-1]
        edge = 2 * len(self.window) // hop  # frames that a frame depends on, and that depend on it
        pulses = pulse_train(f0, hop, self.config.sample_rate, phase)
        parts = []
        for start in range(0, frames, CHUNK_FRAMES):
            low, high = max(0, start - edge), min(frames, start + CHUNK_FRAMES + edge)
            span = slice(low * hop, high * hop)
            sound = self._filtered(bands[..., low:high], pulses[:, span], noise[:, span])
            parts.append(sound[:, (start - low) * hop : (start - low + CHUNK_FRAMES) * hop])
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)

    def _filtered(self, bands: Tensor, pulses: Tensor, noise: Tensor) -> Tensor:
        harmonic, bent, noise_bands = (bands.transpose(1, 2).float()).chunk(3, -1)
        voiced = spectra(pulses, self.window, self.config.hop) * torch.polar(
            (harmonic @ self.spread).clamp(-14, 6).exp(), bent @ self.spread
        )
        breath = (
            spectra(noise, self.window, self.config.hop)
            * (noise_bands @ self.spread).clamp(-14, 6).exp()
        )
        return overlap_add(voiced + breath, self.window, self.config.hop)


def spectra(audio: Tensor, window: Tensor, hop: int) -> Tensor:
    """Return the STFT ``[B, F, bins]`` of ``[B, F * hop]``, frames as `hop_frames` cuts them."""
    spectrum: Tensor = torch.fft.rfft(hop_frames(audio, len(window), hop) * window)
    return spectrum


def overlap_add(spectrum: Tensor, window: Tensor, hop: int) -> Tensor:
    """Return ``[B, F * hop]``: the inverse of `spectra` for a Hann window of four hops."""
    size = len(window)
    count = spectrum.shape[1]
    length = (count - 1) * hop + size
    columns = (torch.fft.irfft(spectrum, size) * window).transpose(1, 2)
    fold = nn.functional.fold(columns, (1, length), (1, size), stride=(1, hop))
    side = (size - hop) // 2
    # Hann squared at a quarter-window hop sums to 1.5.
    return fold[:, 0, 0, side : side + count * hop] / 1.5


def pulse_train(f0: Tensor, hop: int, sample_rate: int, start: float = 0.0) -> Tensor:
    """Return unit-power band-limited pulses ``[B, F * hop]`` for ``f0`` ``[B, F]``.

    F0 is in Hz, 0 for no pulses. ``start`` is the phase before the first sample, in periods.
    """
    voiced = f0 > 0
    continuous = torch.where(voiced, f0, torch.full_like(f0, UNVOICED_HZ))[:, None]
    # In double precision: over an hour, rounding errors of the phase would be audible.
    exact = nn.functional.interpolate(
        continuous.double(), scale_factor=hop, mode="linear", align_corners=False
    )[:, 0]
    phase = ((torch.cumsum(exact / sample_rate, -1) + start) % 1.0).float()
    rate = exact.float()
    harmonics = (sample_rate / 2 / rate).floor().clamp(max=100)
    # Dirichlet kernel: the sum of cos(2 pi k phase) over all harmonics below Nyquist.
    half = torch.sin(torch.pi * phase)
    safe = torch.where(half.abs() < 1e-4, torch.full_like(half, 1e-4), half)
    total = torch.sin(torch.pi * (2 * harmonics + 1) * phase) / safe
    total = torch.where(half.abs() < 1e-4, 2 * harmonics + 1, total)
    pulses = (total - 1) * torch.rsqrt(2 * harmonics)
    gate = nn.functional.interpolate(voiced.float()[:, None], scale_factor=hop, mode="linear")
    return pulses * gate[:, 0]
