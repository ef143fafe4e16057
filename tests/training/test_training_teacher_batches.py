from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from speech_toys import pair

from edge_vc.audio.mel import LogMel, channel_mean
from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.data.pair_set import HOP
from edge_vc.training.teacher.batches import TeacherBatches
from edge_vc.training.teacher.crop_plan import draw_plan
from edge_vc.training.teacher.input_augment import loud_mean
from edge_vc.training.teacher.input_settings import InputSettings
from edge_vc.training.teacher.speech_bank import SpeechBank

CPU = torch.device("cpu")
ROWS = [("own", 0), ("own", 1), ("others", 0), ("unpaired", 0), ("unpaired", 1)]
PLAIN = InputSettings(
    voice_perturb_share=0.0,
    mel_warp=0.0,
    mel_warp_natural=0.0,
    equaliser=0.0,
    level=0.0,
    room_share=0.0,
    noise_share=0.0,
    mean_frames=32,
)


def bank() -> SpeechBank:
    pairs = [*(pair("me", s) for s in range(3)), *(pair("you", s) for s in (95, 96))]
    return SpeechBank(pairs, ["me", "you"], CPU)


def batches(settings: InputSettings = PLAIN, frames: int = 32) -> TeacherBatches:
    speech = bank()
    return TeacherBatches(speech, NoiseBank.build([]), settings, frames, 5.0)


def test_a_batch_holds_pairs_and_then_the_unpaired() -> None:
    batch = batches().draw(ROWS, [0, 0], second=True)
    assert batch.log_mel.shape == (5, 80, 32)
    assert batch.second is not None
    assert batch.second.shape == (3, 80, 32)
    assert batch.truth.shape == (3, 32 * HOP)
    assert batch.noise.shape == (5, 32 * HOP)
    assert batch.own == 2
    assert batch.voice.tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_the_expander_moves_what_is_soft(ratio: float) -> None:
    plain = batches().draw(ROWS, [0, 0]).log_mel
    drawn = batches(replace(PLAIN, expansion=(ratio, ratio), threshold=-0.5)).draw(ROWS, [0, 0])
    soft = plain < -0.5
    assert soft.any()
    torch.testing.assert_close(drawn.log_mel[~soft], plain[~soft])
    torch.testing.assert_close(drawn.log_mel[soft], -0.5 + ratio * (plain[soft] + 0.5))


def test_unpaired_rows_speak_at_the_targets_pitch() -> None:
    batch = batches().draw(ROWS, [0, 3])
    assert batch.mean_log_f0[3:].tolist() == [5.0, 5.0]
    for f0 in batch.f0[3:]:
        assert float(f0[f0 > 0].log().mean()) == pytest.approx(5.0, abs=0.05)


def test_a_row_is_the_same_however_a_step_is_shared() -> None:
    drawn = batches(InputSettings(mean_frames=64))
    whole = drawn.draw(ROWS, [7, 5])
    part = drawn.draw([ROWS[1], ROWS[2], ROWS[4]], [7, 5])
    # Sums over rows of FFTs may differ in their last bits.
    torch.testing.assert_close(part.log_mel, whole.log_mel[[1, 2, 4]], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(part.truth, whole.truth[[1, 2]])
    other = drawn.draw(ROWS, [7, 6])
    assert not torch.equal(other.truth, whole.truth)


def test_undisturbed_features_are_those_of_conversion() -> None:
    """A crop of a whole recording is given what `DefaultTeacher` would give the network."""
    only = SpeechBank([replace(pair("me", 0), inputs=pair("me", 0).inputs[:1])], ["me"], CPU)
    drawn = TeacherBatches(only, NoiseBank.build([]), PLAIN, 80, 5.0).draw([("own", 0)], [0, 0])
    audio = torch.from_numpy(pair("me", 0).inputs[:1].astype(np.float32) / 32767)
    log_mel = LogMel()(audio)[0]
    torch.testing.assert_close(
        drawn.log_mel[0], log_mel - channel_mean(log_mel), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"voice_perturb_share": 1.0},
        {"room_share": 1.0},
        {"noise_share": 1.0},
        {"equaliser": 0.3},
        {"level": 0.3},
        {"mel_warp_natural": 0.2, "mel_warp": 0.2},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_disturbance_changes_the_input_and_not_the_truth(changes: dict[str, float]) -> None:
    plain = batches().draw(ROWS, [1, 1])
    disturbed = batches(replace(PLAIN, **changes)).draw(ROWS, [1, 1])
    assert not torch.allclose(plain.log_mel[0], disturbed.log_mel[0], atol=1e-2)
    torch.testing.assert_close(plain.truth, disturbed.truth)
    assert torch.isfinite(disturbed.log_mel).all()


def test_noise_lies_at_its_ratio() -> None:
    drawn = batches(replace(PLAIN, noise_share=1.0, snr_db=(10.0, 10.0)))
    audio = torch.randn(3, 32 * HOP)
    from edge_vc.training.teacher.crop_plan import draw_plan

    plan = draw_plan(drawn.bank, drawn.settings, ROWS[:3], 32, [0, 0, 0])
    bed = drawn.augment.add_noise(audio, plan) - audio
    ratio = 10 * torch.log10(audio.square().mean(1) / bed.square().mean(1))
    assert ratio.numpy() == pytest.approx(10.0, abs=6.0)  # noises swell over ten seconds


def test_crops_beyond_a_speakers_recordings_are_silent_and_not_counted() -> None:
    cut = bank().cut(torch.tensor([1]), torch.tensor([0]), torch.tensor([240]), 20, 60)
    assert not cut.inputs[0, : 20 * HOP].any()
    assert not cut.present[0, :20].any()
    assert cut.present[0, 20:].all()


def test_a_voice_without_recordings_is_named() -> None:
    with pytest.raises(ValueError, match="speaker 'ghost' has no recordings"):
        SpeechBank([pair("me", 0)], ["me", "ghost"], CPU)


def test_loud_mean_is_the_channel_mean_of_one_recording() -> None:
    log_mel = torch.randn(1, 80, 51)
    present = torch.ones(1, 51, dtype=torch.bool)
    torch.testing.assert_close(loud_mean(log_mel, present)[0], channel_mean(log_mel[0]))


def test_the_channel_is_heard_over_fewer_frames_where_asked() -> None:
    speech = [replace(pair("me", 0, 200), inputs=pair("me", 0, 200).inputs[:1])]
    only = SpeechBank(speech, ["me"], CPU)
    few = replace(PLAIN, mean_frames=160, fewest_mean_frames=32)
    drawn = TeacherBatches(only, NoiseBank.build([]), few, 32, 5.0)
    heard = draw_plan(only, few, [("own", k) for k in range(200)], 32, [0, 0, 0]).mean_frames
    assert 32 <= float(heard.min()) < 40
    assert 130 < float(heard.max()) <= 160
    far, near = (
        drawn.augment.channel_frames(torch.ones(1, 160, dtype=torch.bool), plan)
        for plan in (
            replace(
                draw_plan(only, few, [("own", 0)], 32, [0, 0, 0]),
                mean_frames=torch.tensor([frames]),
            )
            for frames in (160.0, 40.0)
        )
    )
    assert int(far.sum()) == 160
    assert near[0].nonzero().flatten().tolist() == list(range(60, 100))


@pytest.mark.parametrize(("target_hz", "expected"), [(600.0, 500.0), (40.0, 60.0), (200.0, 200.0)])
def test_converted_pitch_stays_within_its_limits(target_hz: float, expected: float) -> None:
    drawn = TeacherBatches(bank(), NoiseBank.build([]), PLAIN, 32, float(np.log(target_hz)))
    f0 = drawn.draw(ROWS, [0, 3]).f0[3:]
    torch.testing.assert_close(f0[f0 > 0], torch.full_like(f0[f0 > 0], expected))


def test_the_mean_pitch_is_that_around_the_crop() -> None:
    rare = replace(pair("rare", 3), f0=np.where(np.arange(80) < 8, 300, 0).astype(np.float32))
    speech = SpeechBank([pair("me", 1), pair("me", 8), rare], ["me", "rare"], CPU)
    augment = TeacherBatches(speech, NoiseBank.build([]), PLAIN, 32, 5.0).augment
    plan = draw_plan(speech, PLAIN, [("own", 0)] * 3, 32, [0, 0, 0])
    plan = replace(plan, speaker=torch.tensor([0, 0, 1]), place=torch.tensor([20, 100, 200]))
    crop = speech.cut(plan.speaker, plan.variant, plan.place, 0, 32)
    means = augment.mean_log_f0(crop, plan)
    # A crop with next to nothing voiced has its speaker's mean.
    torch.testing.assert_close(means.exp(), torch.tensor([130.0, 200.0, 300.0]))


def test_every_room_is_used() -> None:
    drawn = batches(replace(PLAIN, room_share=1.0))
    rooms = drawn.augment.noises.rooms
    click = torch.zeros(len(rooms), rooms.shape[1])
    click[:, 0] = 1.0
    plan = draw_plan(drawn.bank, PLAIN, [("own", 0)] * len(rooms), 32, [0, 0, 0])
    plan = replace(plan, room=(torch.arange(len(rooms)) + 0.5) / len(rooms))
    torch.testing.assert_close(drawn.augment.add_rooms(click, plan), rooms, rtol=1e-4, atol=1e-5)
