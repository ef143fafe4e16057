"""The teacher: an offline, non-causal converter from anybody's voice into one voice.

Log-mel frames without their channel mean -> ConvNeXt blocks (Liu et al. 2022, as in Vocos,
Siuzdak 2023) -> attention over neighbouring seconds (ALiBi distances, Press et al. 2022) -> a
narrow bottleneck -> a decoder that knows the target voice and its pitch -> a source-filter head
(after Wang et al. 2019): a pulse train and noise, each through a filter on its STFT.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from edge_vc.audio.mel import hop_frames, mel_matrix


@dataclass(frozen=True)
class TeacherConfig:
    """Sizes of the network; lengths in samples or frames as said."""

    sample_rate: int = 16_000
    hop: int = 160
    mel_bands: int = 80
    channels: int = 256
    expansion: int = 3
    kernel: int = 7
    encoder_blocks: int = 4
    attention_blocks: int = 2
    heads: int = 4
    attention_reach: int = 100
    """Frames each way that attention can see."""
    bottleneck: int = 64
    decoder_blocks: int = 4
    filter_window: int = 640
    """Window of the STFT on which the head's filters act, samples."""
    filter_bands: int = 80
    """Mel-spaced bands in which each filter is given."""
    speakers: int = 1
    """Voices the decoder knows; what ships knows one."""
    target_log_f0: float = 5.043
    """Mean log F0 (natural, Hz) of voice 0: where sources' pitch is moved to."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values for a weights file's metadata."""
        return asdict(self)


@dataclass(frozen=True)
class TeacherOutput:
    """What the network says about a signal of ``F`` frames."""

    audio: Tensor
    """``[B, F * hop]``"""
    content: Tensor
    """The bottleneck ``[B, bottleneck, F]``: what was said, without who said it."""
    bands: Tensor
    """Harmonic log-magnitude, harmonic phase and noise log-magnitude ``[B, 3 * bands, F]``."""


class ConvNeXt(nn.Module):
    """Depthwise convolution and a pointwise MLP with a residual; ``[B, T, C]``."""

    def __init__(self, channels: int, expansion: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, expansion * channels)
        self.contract = nn.Linear(expansion * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 0.2))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, T, C]`` to the same shape."""
        y = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        y = self.contract(nn.functional.gelu(self.expand(self.norm(y))))
        total: Tensor = x + self.scale * y
        return total


class Attention(nn.Module):
    """Self-attention within ``reach`` frames, scores falling with distance; ``[B, T, C]``."""

    def __init__(self, channels: int, heads: int, reach: int) -> None:
        super().__init__()
        self.heads, self.reach = heads, reach
        self.norm = nn.LayerNorm(channels)
        self.query_key_value = nn.Linear(channels, 3 * channels)
        self.project = nn.Linear(channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 0.2))

    def _bias(self, frames: int, device: torch.device) -> Tensor:
        distance = torch.arange(frames, device=device)
        distance = (distance[:, None] - distance[None]).abs().float()
        slopes = 0.5 ** torch.arange(2, 2 + 2 * self.heads, 2, device=device)
        bias = -slopes[:, None, None] * distance
        return bias.masked_fill(distance > self.reach, float("-inf"))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[B, T, C]`` to the same shape."""
        batch, frames, channels = x.shape
        packed = self.query_key_value(self.norm(x))
        packed = packed.view(batch, frames, 3, self.heads, channels // self.heads)
        query, key, value = packed.permute(2, 0, 3, 1, 4)
        bias = self._bias(frames, x.device).to(query.dtype)
        seen = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        total: Tensor = x + self.scale * self.project(seen.transpose(1, 2).reshape(x.shape))
        return total


class SourceFilterHead(nn.Module):
    """Filters on the STFT of a pulse train and of noise, then the inverse STFT."""

    def __init__(self, config: TeacherConfig) -> None:
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

    def forward(
        self, bands: Tensor, f0: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Synthesise ``[B, F * hop]`` from ``bands`` ``[B, 3 * bands, F]`` and ``f0`` ``[B, F]``.

        ``generator`` draws the noise; the global one where it is not given.
        """
        harmonic, phase, noise = (bands.transpose(1, 2).float()).chunk(3, -1)
        pulses = pulse_train(f0, self.config.hop, self.config.sample_rate)
        hiss = torch.randn(pulses.shape, generator=generator, device=pulses.device)
        voiced = self._spectrum(pulses) * torch.polar(
            (harmonic @ self.spread).clamp(-14, 6).exp(), phase @ self.spread
        )
        breath = self._spectrum(hiss) * (noise @ self.spread).clamp(-14, 6).exp()
        return self._overlap_add(torch.fft.irfft(voiced + breath, self.config.filter_window))

    def _spectrum(self, audio: Tensor) -> Tensor:
        frames = hop_frames(audio, self.config.filter_window, self.config.hop)
        spectrum: Tensor = torch.fft.rfft(frames * self.window)
        return spectrum

    def _overlap_add(self, frames: Tensor) -> Tensor:
        window, hop = self.config.filter_window, self.config.hop
        count = frames.shape[1]
        length = (count - 1) * hop + window
        columns = (frames * self.window).transpose(1, 2)
        fold = nn.functional.fold(columns, (1, length), (1, window), stride=(1, hop))
        side = (window - hop) // 2
        # Hann squared at a quarter-window hop sums to 1.5.
        return fold[:, 0, 0, side : side + count * hop] / 1.5


def pulse_train(f0: Tensor, hop: int, sample_rate: int) -> Tensor:
    """Unit-power band-limited pulses ``[B, F * hop]`` from ``f0`` ``[B, F]`` in Hz, 0 for none."""
    voiced = f0 > 0
    continuous = torch.where(voiced, f0, torch.full_like(f0, 150.0))[:, None]
    rate = nn.functional.interpolate(
        continuous, scale_factor=hop, mode="linear", align_corners=False
    )[:, 0]
    phase = torch.cumsum(rate.double() / sample_rate, -1) % 1.0
    phase = phase.float()
    harmonics = (sample_rate / 2 / rate).floor().clamp(max=100)
    # Dirichlet kernel: the sum of cos(2 pi k phase) over all harmonics below Nyquist.
    half = torch.sin(torch.pi * phase)
    safe = torch.where(half.abs() < 1e-4, torch.full_like(half, 1e-4), half)
    total = torch.sin(torch.pi * (2 * harmonics + 1) * phase) / safe
    total = torch.where(half.abs() < 1e-4, 2 * harmonics + 1, total)
    pulses = (total - 1) * torch.rsqrt(2 * harmonics)
    gate = nn.functional.interpolate(voiced.float()[:, None], scale_factor=hop, mode="linear")
    return pulses * gate[:, 0]


class TeacherNetwork(nn.Module):
    """Normalised log-mel frames and a pitch contour to a waveform in the target voice."""

    def __init__(self, config: TeacherConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or TeacherConfig()
        c = config.channels
        self.embed = nn.Conv1d(config.mel_bands, c, config.kernel, padding=config.kernel // 2)
        self.encoder = nn.Sequential(*self._blocks(config, config.encoder_blocks))
        self.bottleneck = nn.Linear(c, config.bottleneck)
        self.content_norm = nn.LayerNorm(config.bottleneck)
        self.voice = nn.Embedding(config.speakers, c)
        self.expand = nn.Conv1d(config.bottleneck + 3, c, config.kernel, padding=config.kernel // 2)
        decoder = self._blocks(config, config.decoder_blocks)
        self.decoder = nn.Sequential(*decoder, nn.LayerNorm(c))
        self.head = SourceFilterHead(config)

    @staticmethod
    def _blocks(config: TeacherConfig, count: int) -> list[nn.Module]:
        """ConvNeXt blocks with the attention blocks spread between them."""
        blocks: list[nn.Module] = []
        for index in range(count):
            blocks.append(ConvNeXt(config.channels, config.expansion, config.kernel))
            if index >= count - config.attention_blocks // 2 - 1 and index < count - 1:
                blocks.append(Attention(config.channels, config.heads, config.attention_reach))
        return blocks

    def forward(
        self, log_mel: Tensor, f0: Tensor, mean_log_f0: Tensor, voice: Tensor
    ) -> TeacherOutput:
        """Convert ``log_mel`` ``[B, bands, F]``, channel mean removed, into ``voice`` ``[B]``.

        ``f0`` ``[B, F]`` is the contour to speak with in Hz, 0 where unvoiced, and ``mean_log_f0``
        ``[B]`` the mean of its logarithm over the utterance.
        """
        content, bands = self.analyse(log_mel, f0, mean_log_f0, voice)
        return TeacherOutput(self.head(bands, f0), content, bands)

    def analyse(
        self, log_mel: Tensor, f0: Tensor, mean_log_f0: Tensor, voice: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return content ``[B, bottleneck, F]`` and the head's bands ``[B, 3 * bands, F]``."""
        x = self.embed(log_mel).transpose(1, 2)
        content = self.content_norm(self.bottleneck(self.encoder(x))).transpose(1, 2)
        voiced = f0 > 0
        centre = torch.where(voiced, f0, torch.ones_like(f0)).log() - mean_log_f0[:, None]
        pitch = torch.where(voiced, 3 * centre, torch.zeros_like(f0))
        side = torch.stack([pitch, voiced.float(), log_mel.mean(1)], 1)
        y = self.expand(torch.cat([content, side], 1)).transpose(1, 2)
        y = self.decoder(y + self.voice(voice)[:, None])
        return content, self.head.bands(y).transpose(1, 2)
