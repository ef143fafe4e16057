"""What was said, heard by a recogniser and read off contents."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from speech_toys import listened, pair, pairs

from edge_vc.audio.io import resample
from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.data.pair_set import PairSet
from edge_vc.data.synthetic.espeak import Request, Speaker
from edge_vc.labelling.labels import to_int16
from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.training.schedule import Budget, TrainingSession
from edge_vc.training.student.phones import PHONES, UNKNOWN, PhoneListener, Phones, with_phones
from edge_vc.training.teacher.input_settings import InputSettings
from edge_vc.training.teacher.loss_settings import LossSettings
from edge_vc.training.teacher.phone_classifier import PhoneClassifier
from edge_vc.training.teacher.run import data_hash
from edge_vc.training.teacher.settings import TeacherSettings
from edge_vc.training.teacher.speech_bank import SpeechBank
from edge_vc.training.teacher.trainer import TeacherTraining

Samples16 = NDArray[np.int16]
SETTINGS = TeacherSettings(
    replace(TeacherConfig(), channels=16, bottleneck=8, encoder_blocks=1, decoder_blocks=1),
    InputSettings(mean_frames=40),
    LossSettings(adversarial_from=0.5, adversarial_frames=16, phones=0.5),
    own=2,
    others=2,
    unpaired=2,
    frames=32,
    peak_rate=3e-3,
)
SAID = "The dog was happy."
SPELT = ["DH", "AH", "D", "AO", "G", "W", "AA", "Z", "HH", "AE", "P", "IY"]
"""One of the dictionary's ways to say it."""


@pytest.fixture(scope="module")
def listener() -> PhoneListener:
    pytest.importorskip("pocketsphinx")
    return PhoneListener()


@pytest.fixture(scope="module")
def spoken() -> Samples16:
    with Speaker() as speaker:
        audio, rate = speaker.speak(Request(SAID, "en-us+m3", 45, 50, 140))
    return to_int16(resample(audio, rate, 16000))


def order(phones: Phones) -> list[str]:
    """The phones one after the other, pauses and what is unknown left out."""
    known = [PHONES[p] for p in phones if p not in (UNKNOWN, PHONES.index("SIL"))]
    return [p for p, before in zip(known, ["", *known], strict=False) if p != before]


def training(
    folder: Path, given: list[PairSet], settings: TeacherSettings = SETTINGS
) -> TeacherTraining:
    noises = NoiseBank.build([p.inputs[0] for p in pairs()])
    return TeacherTraining(settings, given, ["me", "you"], noises, folder)


def all_listened() -> list[PairSet]:
    return [listened(p) for p in pairs()]


def test_a_known_text_is_aligned(listener: PhoneListener, spoken: Samples16) -> None:
    phones = listener.label(spoken, SAID)
    assert phones.shape == (len(spoken) // 160,)
    found = order(phones)
    assert len(found) == len(SPELT)
    assert sum(a == b for a, b in zip(found, SPELT, strict=True)) >= len(SPELT) - 2
    np.testing.assert_array_equal(listener.label(spoken, SAID), phones)


def test_without_a_text_only_what_is_sure_is_kept(
    listener: PhoneListener, spoken: Samples16
) -> None:
    heard = listener.label(spoken)
    assert heard.min() >= UNKNOWN
    np.testing.assert_array_equal(heard, listener.label(spoken, "zzyzx"))
    noise = np.random.default_rng(0).normal(0, 3000, 16000).astype(np.int16)
    assert not order(listener.label(noise))


def test_a_text_that_was_not_said_leaves_the_listener_usable(
    listener: PhoneListener, spoken: Samples16
) -> None:
    before = listener.label(spoken, SAID)
    listener.label(np.zeros(1600, np.int16), SAID * 20)
    np.testing.assert_array_equal(listener.label(spoken, SAID), before)


def test_phones_are_kept(tmp_path: Path, spoken: Samples16) -> None:
    pytest.importorskip("pocketsphinx")
    given = replace(pair("me", 0), inputs=spoken[None])
    (first,) = with_phones([given], {given.name: SAID}, tmp_path)
    stored = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    (again,) = with_phones([given], {given.name: SAID}, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == stored
    np.testing.assert_array_equal(first.phones, again.phones)
    assert first.phones is not None
    assert order(first.phones)[0] == "DH"


def test_the_bank_cuts_phones_with_the_speech() -> None:
    bank = SpeechBank([listened(pair("me", 1)), pair("me", 2)], ["me"], torch.device("cpu"))
    zero = torch.zeros(1, dtype=torch.long)
    cut = bank.cut(zero, zero, zero + 5, 10, 100)
    known = listened(pair("me", 1)).phones
    assert known is not None
    expected = np.concatenate([np.full(5, UNKNOWN), known, np.full(15, UNKNOWN)])
    np.testing.assert_array_equal(cut.phones[0].numpy(), expected)


def test_what_is_unknown_does_not_count() -> None:
    torch.manual_seed(0)
    classifier, content = PhoneClassifier(8), torch.randn(2, 8, 6, requires_grad=True)
    phones = torch.tensor([[1, 2, 3, UNKNOWN, UNKNOWN, UNKNOWN], [UNKNOWN] * 6])
    loss, right = classifier.error(content, phones)
    logits = classifier(content.transpose(1, 2))[0, :3]
    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(logits, phones[0, :3]))
    torch.testing.assert_close(right, (logits.argmax(1) == phones[0, :3]).float().mean())
    loss, right = classifier.error(content, torch.full_like(phones, UNKNOWN))
    loss.backward()
    assert (float(loss.detach()), float(right)) == (0.0, 0.0)
    assert content.grad is not None
    assert not content.grad.any()


def test_contents_learn_to_say_what_was_said(tmp_path: Path) -> None:
    alone = replace(SETTINGS, losses=replace(SETTINGS.losses, adversarial_from=1.0))
    run = training(tmp_path, all_listened(), alone)
    first = run._train_step(0.1)
    run.run(TrainingSession(Budget(steps=100)))
    last = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert last["phones"] < 0.5 * float(first["phones"])
    assert last["phone_accuracy"] > 0.8


def test_a_cut_run_ends_with_the_same_classifier(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    whole.mkdir()
    parts.mkdir()
    one = training(whole, all_listened())
    one.run(TrainingSession(Budget(steps=4)))
    # A budget of two steps would have another learning rate: the session ends instead.
    assert not training(parts, all_listened()).run(TrainingSession(Budget(steps=4), max_minutes=0))
    two = training(parts, all_listened())
    two.run(TrainingSession(Budget(steps=4)))
    assert one.networks.classifier is not None
    assert two.networks.classifier is not None
    for mine, theirs in zip(
        one.networks.classifier.parameters(), two.networks.classifier.parameters(), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="make the pack with --phones"):
        training(tmp_path, pairs())
    assert (
        training(tmp_path, pairs(), replace(SETTINGS, losses=LossSettings())).networks.classifier
        is None
    )


def test_phones_are_part_of_the_data() -> None:
    assert data_hash(pairs()) != data_hash(all_listened())
