"""Voice perturbation on the training device: a vocoder made of torch operations.

It is cheaper than WORLD and can be drawn anew for every crop. The envelope follows CheapTrick
(Morise 2015) with a fixed window: power smoothed over two thirds of F0, then liftered in the
cepstrum. It is warped along frequency and excited with pulses at another pitch and with noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from edge_vc.audio.pitch import frame_hop
from edge_vc.models.voice.head import overlap_add, pulse_train, spectra

WINDOW_SECONDS = 0.032
"""As short as two periods of a low voice allow, so that consonants stay short."""
_UNVOICED_HZ = 250.0
"""F0 assumed for smoothing where there is no pitch."""


@dataclass(frozen=True)
class VoiceParameters:
    """The new voices of ``B`` rows, each field ``[B]``."""

    median_hz: Tensor
    """New centre of the F0 contour."""
    f0_range: Tensor
    """Scale of the log-F0 excursions around it."""
    warp: Tensor
    """A formant at ``f`` moves to ``f * warp``."""
    breath_hz: Tensor
    """Frequency above which voiced frames are noise."""


def perturb_voices(
    audio: Tensor, f0: Tensor, mean_log_f0: Tensor, voice: VoiceParameters, noise: Tensor, rate: int
) -> Tensor:
    """Return ``audio`` ``[B, F * hop]`` with contour ``f0`` ``[B, F]`` Hz in another ``voice``.

    ``mean_log_f0`` ``[B]`` is the contour's, ``noise`` ``[B, F * hop]`` white noise of unit power;
    a hop is the `frame_hop` of ``rate``, in Hz.
    """
    hop, size = frame_hop(rate), 2 * round(WINDOW_SECONDS / 2 * rate)
    window = torch.hann_window(size, device=audio.device)
    power = spectra(audio, window, hop).abs().square()
    envelope = warped(smooth_envelope(power, f0, rate), voice.warp)
    voiced = f0 > 0
    centre = torch.where(voiced, f0, torch.ones_like(f0)).log() - mean_log_f0[:, None]
    moved = voice.median_hz[:, None] * (voice.f0_range[:, None] * centre).exp()
    moved = torch.where(voiced, moved.clamp(50.0, 500.0), torch.zeros_like(f0))
    hertz = torch.linspace(0, rate / 2, size // 2 + 1, device=audio.device)
    share = torch.sigmoid((hertz - voice.breath_hz[:, None, None]) / 300.0)
    share = torch.where(voiced[..., None], share, torch.ones_like(share))
    pulses = spectra(pulse_train(moved, hop, rate), window, hop)
    breath = spectra(noise, window, hop)
    excited = pulses * (1 - share).sqrt() + breath * share.sqrt()
    # Power of the window, which unit-power sources have in every bin.
    filtered = excited * (envelope / window.square().sum()).sqrt()
    # The filter's response is shorter than the window: plain overlap-add wraps little of it.
    return _overlap(filtered, window, hop)


def smooth_envelope(power: Tensor, f0: Tensor, rate: int) -> Tensor:
    """Return the power envelope ``[B, F, bins]`` under harmonics of ``f0`` ``[B, F]``."""
    bins = power.shape[-1]
    pitch = torch.where(f0 > 0, f0, torch.full_like(f0, _UNVOICED_HZ))[..., None]
    width = pitch * (2 / 3) / (rate / 2) * (bins - 1)
    smooth = _boxed(power, width)
    lag = torch.arange(bins, device=power.device) / rate
    phase = torch.pi * pitch * lag
    lifter = torch.sinc(pitch * lag) * (1.18 - 2 * 0.09 * (2 * phase).cos())
    cepstrum = torch.fft.irfft((smooth + 1e-10).log(), 2 * (bins - 1))[..., :bins] * lifter
    both = torch.cat([cepstrum, cepstrum[..., 1:-1].flip(-1)], -1)
    log_power: Tensor = torch.fft.rfft(both).real
    return log_power.clamp(-25, 15).exp()


def warped(rows: Tensor, warp: Tensor) -> Tensor:
    """Stretch the last axis of ``[B, F, bins]`` by ``warp`` ``[B]``, linearly interpolated."""
    bins = rows.shape[-1]
    position = torch.arange(bins, device=rows.device) / warp[:, None]
    return _sampled(rows, position[:, None].clamp(max=bins - 1).expand(rows.shape))


def _boxed(power: Tensor, width: Tensor) -> Tensor:
    """Return the mean over ``width`` ``[B, F, 1]`` bins around each bin, mirrored at the ends."""
    bins = power.shape[-1]
    side = 32
    mirrored = torch.cat(
        [power[..., 1 : side + 1].flip(-1), power, power[..., -side - 1 : -1].flip(-1)], -1
    )
    total = torch.nn.functional.pad(mirrored.double().cumsum(-1), (1, 0))
    centre = torch.arange(bins, device=power.device) + side + 0.5
    half = width.clamp(1.0, 2 * side - 2) / 2
    above, below = (_sampled(total, (centre + sign * half).double()) for sign in (1, -1))
    return ((above - below) / (2 * half)).clamp_min(0).float()


def _sampled(rows: Tensor, position: Tensor) -> Tensor:
    """Read ``rows`` ``[B, F, N]`` at fractional positions ``[B, F, M]``."""
    below = position.floor().long().clamp(0, rows.shape[-1] - 2)
    part = position - below
    return rows.gather(-1, below) * (1 - part) + rows.gather(-1, below + 1) * part


def _overlap(filtered: Tensor, window: Tensor, hop: int) -> Tensor:
    """Overlap-add with a window that is not four hops long: Hann squared, divided by its sum."""
    made = overlap_add(filtered, window, hop) * 1.5
    return made / (window.square().sum() / hop)
