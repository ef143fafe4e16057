"""Segments hold the speech, none too long, none twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_vc.audio.io import AudioError
from edge_vc.audio.segment import SegmentSettings, find_segments, speech_share, whole_segment
from edge_vc.audio.span import Span
from edge_vc.audio.voice_activity import FRAME, SAMPLE_RATE

SECOND = round(SAMPLE_RATE / FRAME)


def heard(*parts: tuple[float, float]) -> np.ndarray:
    """Return probabilities made of (seconds, probability)."""
    return np.concatenate([np.full(round(s * SECOND), p, np.float32) for s, p in parts])


def seconds(span: Span) -> float:
    return len(span) / SAMPLE_RATE


def test_silence_is_trimmed_up_to_the_padding() -> None:
    probabilities = heard((1, 0.0), (2, 0.9), (1, 0.0))
    (span,) = find_segments(probabilities, probabilities.size * FRAME)
    assert seconds(span) == pytest.approx(2.3, abs=0.04)
    assert span.start / SAMPLE_RATE == pytest.approx(1 - 0.15, abs=0.04)


@pytest.mark.parametrize(("pause", "count"), [(0.3, 1), (0.55, 1), (0.7, 2), (2.0, 2)])
def test_long_pauses_cut(pause: float, count: int) -> None:
    probabilities = heard((2, 0.9), (pause, 0.0), (2, 0.9))
    assert len(find_segments(probabilities, probabilities.size * FRAME)) == count


def test_hesitation_does_not_cut_and_clicks_are_no_speech() -> None:
    probabilities = heard((1, 0.9), (1, 0.4), (1, 0.9), (2, 0.0), (0.064, 0.9), (1, 0.0))
    (span,) = find_segments(probabilities, probabilities.size * FRAME)
    assert seconds(span) == pytest.approx(3.15, abs=0.05)


def test_doubt_alone_is_no_speech() -> None:
    probabilities = heard((5, 0.45))
    assert find_segments(probabilities, probabilities.size * FRAME) == []


def test_long_speech_is_split_where_it_pauses() -> None:
    probabilities = heard((8, 0.9), (0.3, 0.1), (8, 0.9))
    one, two = find_segments(probabilities, probabilities.size * FRAME)
    assert one.stop == two.start
    assert one.stop / SAMPLE_RATE == pytest.approx(8.1, abs=0.2)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.05, 30), st.floats(0, 1, allow_subnormal=False)),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from([1.0, 3.0, 15.0]),
    st.integers(0, FRAME - 1),
)
def test_segments_are_ordered_and_short_enough(
    parts: list[tuple[float, float]], longest: float, cut_off: int
) -> None:
    probabilities = heard(*parts)
    length = max(1, probabilities.size * FRAME - cut_off)
    spans = find_segments(probabilities, length, SegmentSettings(max_seconds=longest))
    edges = [edge for span in spans for edge in (span.start, span.stop)]
    assert edges == sorted(edges)
    assert all(0 <= span.start < span.stop <= length for span in spans)
    assert all(seconds(span) <= longest + 0.07 for span in spans)


def test_whole_keeps_pauses() -> None:
    probabilities = heard((1, 0.0), (1, 0.9), (2, 0.0), (1, 0.9), (1, 0.0))
    (span,) = whole_segment(probabilities, probabilities.size * FRAME)
    assert seconds(span) == pytest.approx(4.3, abs=0.05)
    assert whole_segment(probabilities * 0, probabilities.size * FRAME) == []
    assert speech_share(probabilities, span) == pytest.approx(0.46, abs=0.03)


def test_bad_settings_are_named() -> None:
    with pytest.raises(AudioError, match="leave 0.6 and enter 0.5"):
        SegmentSettings(leave=0.6)
    with pytest.raises(AudioError, match="max_seconds is 0.5"):
        SegmentSettings(max_seconds=0.5)
