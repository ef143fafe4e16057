"""The private sound server: what is fed in is heard, and PortAudio finds it."""

from __future__ import annotations

import pytest
from live_sound import RATE, SoundServer, loudest_hz, tone

pytestmark = pytest.mark.live


def test_what_is_fed_into_the_microphone_can_be_recorded(sound: SoundServer) -> None:
    with sound.recording("mic_feed.monitor") as made:
        assert sound.feed(tone(440, 0.5)).wait(timeout=20) == 0
    heard = made.samples[abs(made.samples) > 0.01]
    assert heard.shape[0] > 0.4 * RATE
    assert loudest_hz(made.samples) == pytest.approx(440, abs=15)
