from __future__ import annotations

import numpy as np
import pytest
import torch

from edge_vc.audio.mel import LogMel, channel_mean, hop_frames, mel_matrix


def test_one_frame_per_hop_centred_on_its_middle() -> None:
    audio = torch.zeros(1, 1600)
    audio[0, 3 * 160 + 80] = 1.0
    frames = hop_frames(audio, 640, 160)
    assert frames.shape == (1, 10, 640)
    assert int(frames[0, 3].argmax()) == 320


def test_bands_peak_where_the_tone_is() -> None:
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(16000) / 16000)[None]
    log_mel = LogMel()(tone)
    bank = mel_matrix(16000, 640, 80)
    expected = int(bank[:, round(1000 / 25)].argmax())
    assert log_mel.shape == (1, 80, 100)
    assert int(log_mel[0, :, 50].argmax()) == pytest.approx(expected, abs=1)


def test_channel_mean_cancels_a_fixed_filter() -> None:
    rng = np.random.default_rng(0)
    log_mel = torch.from_numpy(rng.normal(size=(80, 200))).float()
    colour = torch.linspace(-1, 1, 80)[:, None]
    plain, coloured = log_mel - channel_mean(log_mel), log_mel + colour
    torch.testing.assert_close(plain, coloured - channel_mean(coloured))


def test_channel_mean_is_that_of_the_louder_half() -> None:
    levels = torch.tensor([-9.0, -8.0, -7.0, -1.0, 0.0, 1.0, 2.0])
    mean = channel_mean(levels.expand(80, 7))
    torch.testing.assert_close(mean, torch.full((80, 1), 0.5))


def test_silence_lies_at_the_floor() -> None:
    torch.testing.assert_close(LogMel()(torch.zeros(1, 1600)), torch.full((1, 80, 10), -11.5129))
