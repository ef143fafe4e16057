"""What is drawn for each crop follows the settings: ranges, deviations, shares, speakers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from speech_toys import pair

from edge_vc.training.teacher.crop_plan import draw_plan
from edge_vc.training.teacher.input_settings import InputSettings
from edge_vc.training.teacher.speech_bank import SpeechBank

COUNT = 600
OWN = [("own", number) for number in range(COUNT)]
UNPAIRED = [("unpaired", number) for number in range(COUNT)]
WIDE = InputSettings(warp=(0.01, 100.0), fewest_mean_frames=100)


def bank() -> SpeechBank:
    """Voices of 0.8, 0.8 and 2.4 s; two stored inputs each."""
    pairs = [pair("me", 1), pair("short", 2), pair("long", 3, 240)]
    return SpeechBank(pairs, ["me", "short", "long"], torch.device("cpu"))


def drawn(
    name: str, settings: InputSettings = WIDE, rows: list[tuple[str, int]] = OWN
) -> np.ndarray:
    plan = draw_plan(bank(), settings, rows, 32, [0, 0, 0])
    return np.asarray(getattr(plan, name), np.float64)


@pytest.mark.parametrize(
    ("field", "setting", "logarithmic"),
    [
        ("median_hz", "f0_hz", True),
        ("f0_range", "f0_range", False),
        ("breath_hz", "breath_hz", False),
        ("snr_db", "snr_db", False),
        ("expansion", "expansion", True),
    ],
)
def test_ranges_are_filled_evenly(field: str, setting: str, logarithmic: bool) -> None:
    settings = replace(WIDE, expansion=(0.5, 2.0))
    scale = np.log if logarithmic else np.asarray
    low, high = scale(getattr(settings, setting))
    values = scale(drawn(field, settings))
    assert low <= values.min() < low + 0.03 * (high - low)
    assert high - 0.03 * (high - low) < values.max() <= high + 1e-6
    assert values.mean() == pytest.approx((low + high) / 2, abs=0.05 * (high - low))


def test_the_channel_mean_is_taken_over_drawn_lengths() -> None:
    frames = drawn("mean_frames")
    assert 100 <= frames.min() < 103
    assert 291 < frames.max() <= 300.001
    assert np.log(frames).mean() == pytest.approx(np.log(100 * 300) / 2, abs=0.05)


@pytest.mark.parametrize(
    ("field", "setting"), [("level", "level"), ("equaliser", "equaliser"), ("mel_warp", "mel_warp")]
)
def test_deviations_are_those_of_the_settings(field: str, setting: str) -> None:
    values = drawn(field, replace(WIDE, voice_perturb_share=1.0))
    assert values.std() == pytest.approx(getattr(WIDE, setting), rel=0.1)
    assert abs(values.mean()) < 0.2 * values.std()


def test_formants_follow_the_pitch() -> None:
    settings = replace(WIDE, warp_spread=0.0, warp_slope=0.2)
    octaves = np.log(drawn("median_hz", settings)) - bank().mean_log_f0[0]
    np.testing.assert_allclose(np.log(drawn("warp", settings)), 0.2 * octaves, atol=1e-5)
    spread = np.log(drawn("warp", replace(WIDE, warp_slope=0.0)))
    assert spread.std() == pytest.approx(WIDE.warp_spread, rel=0.1)
    limited = drawn("warp", replace(WIDE, warp=(0.95, 1.05)))
    assert limited.min() == pytest.approx(0.95)
    assert limited.max() == pytest.approx(1.05)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_shares_are_kept(share: float) -> None:
    settings = replace(WIDE, voice_perturb_share=share, room_share=share, noise_share=share)
    assert drawn("voice_perturbed", settings).mean() == pytest.approx(share, abs=0.05)
    assert (drawn("room", settings) < 1).mean() == pytest.approx(share, abs=0.05)
    assert (drawn("noise", settings) < 1).mean() == pytest.approx(share, abs=0.05)
    assert not drawn("voice_perturbed", settings, UNPAIRED).any()


def test_only_crops_of_another_voice_start_from_the_first_input() -> None:
    settings = replace(WIDE, voice_perturb_share=0.5)
    variant, perturbed = drawn("variant", settings), drawn("voice_perturbed", settings) > 0
    assert not variant[perturbed].any()
    assert variant[~perturbed].mean() == pytest.approx(0.5, abs=0.1)
    assert not drawn("variant", settings, UNPAIRED).any()


def test_bands_move_further_where_nothing_else_changed() -> None:
    settings = replace(WIDE, voice_perturb_share=0.0, mel_warp=0.01, mel_warp_natural=0.3)
    warp, variant = drawn("mel_warp", settings), drawn("variant", settings)
    assert warp[variant == 0].std() == pytest.approx(0.3, rel=0.2)
    assert warp[variant == 1].std() == pytest.approx(0.01, rel=0.2)
    assert drawn("mel_warp", settings, UNPAIRED).std() == pytest.approx(0.01, rel=0.2)


@pytest.mark.parametrize("kind", ["others", "unpaired"])
def test_others_speak_as_long_as_their_recordings(kind: str) -> None:
    speaker = drawn("speaker", WIDE, [(kind, number) for number in range(COUNT)])
    assert (speaker == 0).sum() == 0
    assert (speaker == 2).mean() == pytest.approx(0.75, abs=0.05)
    assert not drawn("speaker").any()


def test_crops_lie_within_the_speakers_recordings() -> None:
    rows = [*OWN, *UNPAIRED]
    place, speaker = drawn("place", WIDE, rows), drawn("speaker", WIDE, rows).astype(int)
    speech = bank()
    assert (place >= speech.starts[speaker]).all()
    assert (place + 32 <= speech.ends[speaker]).all()
    own = place[speaker == 0]
    assert (own.min(), own.max()) == (0, 80 - 32)
