"""Log-mel frames for the teacher: non-causal, centred on the middle of each hop."""

from __future__ import annotations

import librosa
import torch
from torch import Tensor, nn

from edge_vc.audio.long_audio import AudioWindow, LongAudio, windows

LOG_FLOOR = 1e-5
"""Added before the logarithm; about 100 dB below full scale."""
CHUNK_FRAMES = 2_000
"""Frames transformed at once."""


def mel_matrix(sample_rate: int, window: int, bands: int, *, fmin: float = 0.0) -> Tensor:
    """Return a Slaney mel filter bank ``[bands, window // 2 + 1]``."""
    bank = librosa.filters.mel(sr=sample_rate, n_fft=window, n_mels=bands, fmin=fmin)
    return torch.from_numpy(bank)


def hop_frames(audio: Tensor, window: int, hop: int) -> Tensor:
    """Cut ``[B, T]`` into ``[B, T // hop, window]``, frame ``f`` centred on ``(f + 0.5) * hop``."""
    frames = audio.shape[-1] // hop
    side = (window - hop) // 2
    padded = nn.functional.pad(audio[:, : frames * hop], (side, window - hop - side))
    return padded.unfold(-1, window, hop)


class LogMel(nn.Module):
    """``[B, T]`` audio to ``[B, bands, T // hop]`` natural-log mel magnitudes."""

    def __init__(
        self, sample_rate: int = 16_000, window: int = 640, hop: int = 160, bands: int = 80
    ) -> None:
        super().__init__()
        self.window_size, self.hop = window, hop
        self.register_buffer("bank", mel_matrix(sample_rate, window, bands), persistent=False)
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        self.bank: Tensor
        self.window: Tensor

    def forward(self, audio: Tensor) -> Tensor:
        """Return natural-log mel magnitudes ``[B, bands, frames]`` of ``audio`` ``[B, T]``."""
        frames = hop_frames(audio, self.window_size, self.hop)
        parts = [self._log_mel(part) for part in frames.split(CHUNK_FRAMES, dim=1)]
        return (parts[0] if len(parts) == 1 else torch.cat(parts, 1)).transpose(1, 2)

    def _log_mel(self, frames: Tensor) -> Tensor:
        magnitude = torch.fft.rfft(frames * self.window).abs()
        log_mel: Tensor = (magnitude @ self.bank.T + LOG_FLOOR).log()
        return log_mel


def channel_mean(log_mel: Tensor) -> Tensor:
    """Return the mean over the louder half of the frames: ``[bands, F]`` to ``[bands, 1]``.

    Subtracting it removes the microphone and room response, and with it most of the speaker's
    long-term spectrum.
    """
    loudness = log_mel.mean(0)
    loud = loudness >= loudness.median()
    return log_mel[:, loud].mean(1, keepdim=True)


def long_channel_mean(audio: LongAudio, log_mel: LogMel) -> Tensor:
    """Return the `channel_mean` ``[bands, 1]`` of a recording of any length, in whole hops.

    Only the loudness of each frame is kept in memory.
    """
    size, context = CHUNK_FRAMES * log_mel.hop, log_mel.window_size
    context += -context % log_mel.hop
    parts = list(windows(audio.length, size, context))
    loudness = [_part(audio, log_mel, part).mean(0) for part in parts]
    middle = torch.cat(loudness).median()
    total, count = torch.zeros(len(log_mel.bank), 1, dtype=torch.double), 0
    for part, level in zip(parts, loudness, strict=True):
        loud = level >= middle
        total = total + _part(audio, log_mel, part)[:, loud].double().sum(1, keepdim=True)
        count += int(loud.sum())
    return (total / count).float()


def _part(audio: LongAudio, log_mel: LogMel, part: AudioWindow) -> Tensor:
    """Return the frames ``[bands, F]`` of a part."""
    frames: Tensor = log_mel(torch.from_numpy(audio.read(part.low, part.high))[None])[0]
    first, last = ((place - part.low) // log_mel.hop for place in (part.start, part.stop))
    return frames[:, first:last]
