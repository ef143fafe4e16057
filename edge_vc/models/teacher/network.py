"""The teacher: an offline, non-causal converter from anybody's voice into one voice.

Log-mel frames without their channel mean -> ConvNeXt blocks (Liu et al. 2022, as in Vocos,
Siuzdak 2023) -> attention over neighbouring seconds (ALiBi distances, Press et al. 2022) -> a
narrow bottleneck -> the target's own sounds nearest to it -> a decoder that knows the target
voice and its pitch -> a source-filter head (after Wang et al. 2019): a pulse train and noise, each
through a filter on its STFT.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.models.voice.blocks import Attention, ConvNeXt
from edge_vc.models.voice.head import TeacherSourceFilterHead, overlap_add


@dataclass(frozen=True)
class TeacherOutput:
    """What the network says about a signal of ``F`` frames."""

    audio: Tensor
    """``[B, F * hop]``"""
    content: Tensor
    """The bottleneck ``[B, bottleneck, F]``: what was said, without who said it; as it was
    before units took its place."""
    bands: Tensor
    """What the head was given: harmonic log-magnitude, harmonic phase and noise log-magnitude
    ``[B, 3 * bands, F]`` of a source-filter head."""


class SpectrumHead(nn.Module):
    """A log magnitude and a phase for every bin, then the inverse STFT (Vocos, Siuzdak 2023)."""

    def __init__(self, config: TeacherConfig) -> None:
        super().__init__()
        self.config = config
        self.bands = nn.Linear(config.channels, 2 * (config.filter_window // 2 + 1))
        window = torch.hann_window(config.filter_window)
        self.register_buffer("window", window, persistent=False)
        self.window: Tensor

    def forward(self, bands: Tensor, f0: Tensor, noise: Tensor, phase: float = 0.0) -> Tensor:
        """Synthesise ``[B, F * hop]`` from ``bands`` ``[B, 2 * bins, F]``; the rest is not used."""
        magnitude, angle = bands.transpose(1, 2).float().chunk(2, -1)
        spectrum = torch.polar(magnitude.clamp(-14, 6).exp(), angle)
        return overlap_add(spectrum, self.window, self.config.hop)


class TeacherNetwork(nn.Module):
    """Normalised log-mel frames and a pitch contour to a waveform in the target voice."""

    units: Tensor

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
        if config.units:
            self.register_buffer("units", torch.zeros(config.units, config.bottleneck))
        self.head: TeacherSourceFilterHead | SpectrumHead
        kind = TeacherSourceFilterHead if config.head == "source-filter" else SpectrumHead
        self.head = kind(config)

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
        self,
        log_mel: Tensor,
        f0: Tensor,
        mean_log_f0: Tensor,
        voice: Tensor,
        noise: Tensor | None = None,
    ) -> TeacherOutput:
        """Convert ``log_mel`` ``[B, bands, F]``, channel mean removed, into ``voice`` ``[B]``.

        ``f0`` ``[B, F]`` is the contour to speak with in Hz, 0 where unvoiced, and ``mean_log_f0``
        ``[B]`` the mean of its logarithm over the utterance. ``noise`` ``[B, F * hop]`` is the
        white noise that breath is made of; drawn from the global generator where not given.
        """
        content, bands = self.analyse(log_mel, f0, mean_log_f0, voice)
        if noise is None:
            noise = torch.randn(len(f0), f0.shape[1] * self.config.hop, device=f0.device)
        # Filters and phases in bfloat16 would be heard.
        with torch.autocast(f0.device.type, enabled=False):
            audio = self.head(bands.float(), f0, noise)
        return TeacherOutput(audio, content, bands)

    def encode(self, log_mel: Tensor) -> Tensor:
        """Return the content ``[B, bottleneck, F]`` alone."""
        x = self.embed(log_mel.clamp_min(self.config.floor)).transpose(1, 2)
        content: Tensor = self.content_norm(self.bottleneck(self.encoder(x)))
        return content.transpose(1, 2)

    def retrieve(self, content: Tensor) -> Tensor:
        """Move ``content`` ``[B, bottleneck, F]`` towards the target's own nearest sounds.

        By cosine, as kNN-VC does it (Baas, van Niekerk, Kamper 2023); what a source's content
        still says of the source is lost there. Without units it is returned as it is. Gradients
        pass straight through (van den Oord et al. 2017).
        """
        if not self.config.units:
            return content
        frames = content.transpose(1, 2)
        units = nn.functional.normalize(self.units)
        alike = nn.functional.normalize(frames.detach(), dim=-1) @ units.T
        nearest = self.units[alike.topk(self.config.neighbours, -1).indices].mean(-2)
        moved = frames + self.config.retrieval * (nearest - frames).detach()
        return moved.transpose(1, 2)

    def analyse(
        self, log_mel: Tensor, f0: Tensor, mean_log_f0: Tensor, voice: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return content ``[B, bottleneck, F]`` and the head's bands ``[B, 3 * bands, F]``."""
        content = self.encode(log_mel)
        voiced = f0 > 0
        centre = torch.where(voiced, f0, torch.ones_like(f0)).log() - mean_log_f0[:, None]
        pitch = torch.where(voiced, 3 * centre, torch.zeros_like(f0))
        loudness = log_mel.clamp_min(self.config.floor).mean(1)
        side = torch.stack([pitch, voiced.float(), loudness], 1)
        y = self.expand(torch.cat([self.retrieve(content), side], 1)).transpose(1, 2)
        y = self.decoder(y + self.voice(voice)[:, None])
        return content, self.head.bands(y).transpose(1, 2)
