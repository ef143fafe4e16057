"""Nobody changes sides when others join."""

from __future__ import annotations

import pytest

from edge_vc.prepare.split import TRAIN, VALIDATION, split_speakers

NAMES = [f"speaker {number}" for number in range(200)]


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_share_is_near_and_seeded(share: float) -> None:
    sides = split_speakers(NAMES, share)
    aside = sum(side == VALIDATION for side in sides.values())
    assert aside / len(NAMES) == pytest.approx(share, abs=0.06)
    assert sides == split_speakers(reversed(NAMES), share)
    assert sides != split_speakers(NAMES, share, seed=1)


def test_newcomers_move_nobody() -> None:
    sides: dict[str, str] = {}
    for count in (2, 3, 5, 50, 200):
        grown = split_speakers(NAMES[:count], 0.1, earlier=sides)
        assert {name: grown[name] for name in sides} == sides
        assert VALIDATION in grown.values()
        sides = grown


def test_targets_train_and_one_speaker_is_not_set_aside() -> None:
    assert set(split_speakers(NAMES[:2], 0.5, fixed=NAMES[:2]).values()) == {TRAIN}
    assert split_speakers(["alone"], 0.5, fixed=[]) in ({"alone": TRAIN}, {"alone": VALIDATION})
    assert split_speakers(["alone"], 0.01) == {"alone": TRAIN}
    sides = split_speakers(NAMES[:3], 0.001, fixed=NAMES[:1])
    assert sides[NAMES[0]] == TRAIN
    assert sorted(sides.values()) == [TRAIN, TRAIN, VALIDATION]


def test_no_validation_when_none_is_wanted() -> None:
    assert set(split_speakers(NAMES, 0.0).values()) == {TRAIN}
