"""What is heard live equals the offline conversion, sample for sample."""

from __future__ import annotations

import numpy as np
import pytest
from fake_backend import Shift, to_type
from loop_rig import LoopRig

from edge_vc_runtime.audio.block_resampler import streaming_resampler
from edge_vc_runtime.audio.polyphase import PolyphaseResampler
from edge_vc_runtime.devices.backend import StreamFormat


def speech(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(int(seconds * rate))
    return (0.1 * np.convolve(noise, np.hanning(9) / 4, "same")).astype(np.float32)


def offline(mono: np.ndarray, converter: Shift, input_rate: int, output_rate: int) -> np.ndarray:
    """Convert in one piece each: the whole recording down, hops through, the whole result up."""
    audio = resampled(mono, input_rate, converter.sample_rate, converter.hop)
    hops = audio[: audio.size // converter.hop * converter.hop].reshape(-1, converter.hop)
    out = np.concatenate([converter.step(hop).copy() for hop in hops])
    return resampled(out, converter.sample_rate, output_rate, converter.hop)


def resampled(audio: np.ndarray, from_rate: int, to_rate: int, hop: int) -> np.ndarray:
    block = -(-hop * from_rate // 16000) if to_rate == 16000 else hop
    resampler = streaming_resampler(from_rate, to_rate, block)
    if isinstance(resampler, PolyphaseResampler):
        return resampler.push(audio)
    whole = audio[: audio.size // block * block].reshape(-1, block)
    return np.concatenate([resampler.push(piece).copy() for piece in whole])


@pytest.mark.parametrize("hop", [40, 160, 320])
@pytest.mark.parametrize(
    ("input_rate", "output_rate", "frames"),
    [
        (16000, 16000, 40),
        (48000, 48000, 120),
        (48000, 44100, 480),
        (44100, 16000, 64),
        (8000, 24000, 100),
    ],
)
def test_equals_the_offline_conversion(
    hop: int, input_rate: int, output_rate: int, frames: int
) -> None:
    recorded = speech(1.0, input_rate)
    rig = LoopRig(
        Shift(hop),
        StreamFormat(input_rate, 1, "float32", frames),
        StreamFormat(output_rate, 2, "float32", frames),
        reserve_s=0.004 + frames / output_rate + frames / input_rate,
    )
    played = rig.run(recorded[:, None])
    expected = offline(recorded, Shift(hop), input_rate, output_rate)
    assert (played[:, 0] == played[:, 1]).all()
    assert rig.counters.xruns == rig.counters.dropped == rig.counters.muted == 0
    start = int(np.flatnonzero(played[:, 0])[0]) - int(np.flatnonzero(expected)[0])
    heard = played[start:, 0]
    assert heard.size > 0.9 * expected.size
    np.testing.assert_array_equal(heard, expected[: heard.size])


@pytest.mark.parametrize("sample_type", ["int16", "int32"])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_cards_formats_change_nothing_but_their_precision(sample_type: str, channels: int) -> None:
    recorded = speech(0.5, 48000)
    rig = LoopRig(
        Shift(),
        StreamFormat(48000, channels, sample_type, 120),
        StreamFormat(48000, channels, sample_type, 120),
    )
    frames = np.repeat(to_type(recorded, sample_type)[:, None], channels, 1)
    played = rig.run(frames)
    expected = to_type(offline(recorded, Shift(), 48000, 48000), sample_type)
    start = int(np.flatnonzero(played[:, 0])[0]) - int(np.flatnonzero(expected)[0])
    heard = played[start:, 0].astype(np.float64)
    error = np.abs(heard - expected[: heard.size]).max()
    assert error <= (2 if sample_type == "int16" else 2**8)  # float32 holds 24 of 32 bits
    assert (played[:, 2:] == 0).all()


def test_the_delay_is_the_reserve_and_what_the_parts_say() -> None:
    rig = LoopRig(
        Shift(),
        StreamFormat(16000, 1, "float32", 40),
        StreamFormat(16000, 1, "float32", 40),
        reserve_s=0.005,
    )
    impulse = np.zeros((8000, 1), np.float32)
    impulse[3215] = 0.5
    at = int(np.argmax(rig.run(impulse)[:, 0]))
    hop, delay, reserve, callback = 160, 37, 80, 40
    assert hop - callback <= at - 3215 - delay - reserve <= hop + callback
