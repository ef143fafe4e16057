"""What trainings keep for the next run: damage is noticed, and what can be is made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from damages import DAMAGES, Damage, every
from voices import record

from edge_vc.data import pairs as pair_cache
from edge_vc.data.corpus import Corpus
from edge_vc.data.pair_set import PairSet
from edge_vc.data.pairs import load_pairs, pair_files
from edge_vc.training.checkpoint import Checkpoint, CheckpointError


@every
def test_pairs_of_a_changed_recording_or_damaged_ones_are_made_again(
    tmp_path: Path, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(source: object, *_: object) -> object:
        made.append(source.utt_id)  # type: ignore[attr-defined]
        samples = np.full(800, int(source.utt_id), np.int16)  # type: ignore[attr-defined]
        return PairSet("me", "a", np.full(5, 100, np.float32), samples, samples)

    monkeypatch.setattr(pair_cache, "make_pairs", make)
    recordings = record(tmp_path / "recordings", 3, 1.0)

    def files() -> list[Path]:
        made.clear()
        sources = list(Corpus.open(recordings))
        return pair_files(sources, tmp_path / "cache", workers=1)

    paths = files()
    assert len(made) == 3
    assert files() == paths
    assert not made
    before = paths[1].read_bytes()
    damage(paths[1], paths[0])
    files()
    assert made == ["01"]
    assert paths[1].read_bytes() == before
    (recordings / "02.wav").write_bytes((recordings / "01.wav").read_bytes())
    files()
    assert made == ["02"]
    assert load_pairs(paths[2]).speaker == "me"


@pytest.mark.parametrize("name", ["emptied", "truncated", "half", "zeros"])
def test_a_damaged_checkpoint_is_one_line(tmp_path: Path, name: str) -> None:
    class Part:
        def state_dict(self) -> dict[str, object]:
            return {"a": 1}

        def load_state_dict(self, state: dict[str, object]) -> None:
            assert state == {"a": 1}

    folder = Checkpoint(tmp_path, {"part": Part()})
    folder.save(3, 1.0)
    assert folder.restore() == (3, 1.0)
    DAMAGES[name](folder.path, folder.path)
    with pytest.raises(CheckpointError, match="is damaged; delete it"):
        folder.restore()
