"""What was said, heard by a recogniser."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_vc.audio.io import resample
from edge_vc.data.synthetic.espeak import Request, Speaker
from edge_vc.labelling.labels import to_int16
from edge_vc.training.student.phones import PHONES, UNKNOWN, PhoneAligner, Phones

Samples16 = NDArray[np.int16]
SAID = "The dog was happy."
SPELT = ["DH", "AH", "D", "AO", "G", "W", "AA", "Z", "HH", "AE", "P", "IY"]
"""One of the dictionary's ways to say it."""


@pytest.fixture(scope="module")
def aligner() -> PhoneAligner:
    pytest.importorskip("pocketsphinx")
    return PhoneAligner()


@pytest.fixture(scope="module")
def spoken() -> Samples16:
    with Speaker() as speaker:
        audio, rate = speaker.speak(Request(SAID, "en-us+m3", 45, 50, 140))
    return to_int16(resample(audio, rate, 16000))


def order(phones: Phones) -> list[str]:
    """The phones one after the other, pauses and what is unknown left out."""
    known = [PHONES[p] for p in phones if p not in (UNKNOWN, PHONES.index("SIL"))]
    return [p for p, before in zip(known, ["", *known], strict=False) if p != before]


def test_a_known_text_is_aligned(aligner: PhoneAligner, spoken: Samples16) -> None:
    phones = aligner.label(spoken, SAID)
    assert phones.shape == (len(spoken) // 160,)
    found = order(phones)
    assert len(found) == len(SPELT)
    assert sum(a == b for a, b in zip(found, SPELT, strict=True)) >= len(SPELT) - 2
    np.testing.assert_array_equal(aligner.label(spoken, SAID), phones)


def test_without_a_text_only_what_is_sure_is_kept(aligner: PhoneAligner, spoken: Samples16) -> None:
    heard = aligner.label(spoken)
    assert heard.min() >= UNKNOWN
    np.testing.assert_array_equal(heard, aligner.label(spoken, "zzyzx"))
    noise = np.random.default_rng(0).normal(0, 3000, 16000).astype(np.int16)
    assert not order(aligner.label(noise))


def test_a_text_that_was_not_said_leaves_the_listener_usable(
    aligner: PhoneAligner, spoken: Samples16
) -> None:
    before = aligner.label(spoken, SAID)
    aligner.label(np.zeros(1600, np.int16), SAID * 20)
    np.testing.assert_array_equal(aligner.label(spoken, SAID), before)
