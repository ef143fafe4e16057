"""The voice network: decodes contents into one voice; it models the target and no sources.

Contents of a frozen encoder -> a narrow bottleneck -> ConvNeXt blocks (Liu et al. 2022) around
attention over neighbouring seconds, with pitch, voicing and loudness as further inputs -> the
source-filter head of the teacher.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edge_vc.audio.mel import LogMel
from edge_vc.models.voice.blocks import Attention, ConvNeXt
from edge_vc.models.voice.config import VoiceConfig
from edge_vc.models.voice.head import TeacherSourceFilterHead

PITCH_SCALE = 3.0
SOFTEST = -6.0
"""Lowest loudness, in nats relative to the loud frames."""


class VoiceNetwork(nn.Module):
    """Maps content frames, pitch and loudness to a waveform in the voice that it was trained on."""

    units: Tensor
    unit_mean: Tensor

    def __init__(self, config: VoiceConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or VoiceConfig()
        width = config.channels
        self.content_norm = nn.LayerNorm(config.content_width)
        self.bottleneck = nn.Linear(config.content_width, config.bottleneck)
        self.bottleneck_norm = nn.LayerNorm(config.bottleneck)
        self.embed = nn.Conv1d(
            config.bottleneck + 3, width, config.kernel, padding=config.kernel // 2
        )
        blocks: list[nn.Module] = [_block(config) for _ in range(config.blocks_before)]
        blocks.append(Attention(width, config.heads, config.attention_reach))
        blocks += [_block(config) for _ in range(config.blocks_after)]
        self.decoder = nn.Sequential(*blocks, nn.LayerNorm(width))
        self.head = TeacherSourceFilterHead(config)
        self.register_buffer("units", torch.zeros(config.units, config.content_width))
        self.register_buffer("unit_mean", torch.zeros(config.content_width))

    def forward(
        self, contents: Tensor, f0: Tensor, mean_log_f0: Tensor, loudness: Tensor, noise: Tensor
    ) -> Tensor:
        """Return the waveform ``[B, F * hop]``.

        ``contents`` ``[B, F / frames_per_content, content_width]``, ``f0`` ``[B, F]`` in Hz with 0
        where unvoiced, ``mean_log_f0`` ``[B]`` its mean logarithm over the utterance, ``loudness``
        ``[B, F]`` as computed by `Loudness`, ``noise`` ``[B, F * hop]`` white noise of unit power.
        """
        bands = self.bands(contents, f0, mean_log_f0, loudness)
        # Filters and phases rounded to bfloat16 would be audible.
        with torch.autocast(f0.device.type, enabled=False):
            audio: Tensor = self.head(bands.float(), f0, noise)
        return audio

    def bands(self, contents: Tensor, f0: Tensor, mean_log_f0: Tensor, loudness: Tensor) -> Tensor:
        """Return the controls of the head, ``[B, 3 * bands, F]``."""
        heard = self.narrowed(contents)
        voiced = f0 > 0
        centre = torch.where(voiced, f0, torch.ones_like(f0)).log() - mean_log_f0[:, None]
        pitch = torch.where(voiced, PITCH_SCALE * centre, torch.zeros_like(f0))
        side = torch.stack([pitch, voiced.float(), loudness], 1)
        y = self.embed(torch.cat([heard, side], 1)).transpose(1, 2)
        bands: Tensor = self.head.bands(self.decoder(y))
        return bands.transpose(1, 2)

    def narrowed(self, contents: Tensor) -> Tensor:
        """Return the bottleneck's output ``[B, bottleneck, F]`` for every frame of ``contents``."""
        narrow = self.bottleneck_norm(self.bottleneck(self.content_norm(contents)))
        return nn.functional.interpolate(
            narrow.transpose(1, 2),
            scale_factor=float(self.config.frames_per_content),
            mode="linear",
            align_corners=False,
        )

    @torch.no_grad()
    def retrieve(self, contents: Tensor) -> Tensor:
        """Move ``contents`` ``[F, width]`` towards the target's own nearest ones.

        Nearest by cosine after subtracting the mean, as in kNN-VC (Baas, van Niekerk, Kamper 2023).
        This removes what contents still reveal of the source. Without units they are unchanged.
        """
        if not self.config.units or not self.config.retrieval:
            return contents
        near = nearest(contents, self.units, self.unit_mean, self.config.neighbours)
        moved: Tensor = contents + self.config.retrieval * (self.units[near].mean(1) - contents)
        return moved


class Loudness(nn.Module):
    """Loudness of each frame, relative to the loud half of the recording."""

    def __init__(self, sample_rate: int = 16_000, hop: int = 160) -> None:
        super().__init__()
        self.log_mel = LogMel(sample_rate, hop=hop)

    def forward(self, audio: Tensor, usual: float | None = None) -> Tensor:
        """Return nats ``[B, T / hop]`` of whole recordings ``[B, T]``, at least `SOFTEST`.

        For a part of a recording, ``usual`` is the level of the loud half of the whole.
        """
        level = self.log_mel(audio).mean(1)
        loud = (level >= level.median(1, keepdim=True).values).float()
        own = (level * loud).sum(1, keepdim=True) / loud.sum(1, keepdim=True)
        relative: Tensor = (level - (own if usual is None else usual)).clamp_min(SOFTEST)
        return relative


def nearest(frames: Tensor, bank: Tensor, mean: Tensor, count: int) -> Tensor:
    """Return the indices ``[F, count]`` of the most similar frames of ``bank`` ``[N, W]``.

    ``frames`` are ``[F, W]``; similarity is the cosine after subtracting ``mean`` ``[W]``.
    """
    keys = nn.functional.normalize(bank - mean, dim=1)
    return (nn.functional.normalize(frames - mean, dim=1) @ keys.T).topk(count, 1).indices


def _block(config: VoiceConfig) -> ConvNeXt:
    return ConvNeXt(config.channels, config.expansion, config.kernel)
