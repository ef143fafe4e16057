"""Training pairs, made in fresh processes and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bars import Bar
from voices import record

from edge_vc.data import pairs
from edge_vc.data.corpus import Corpus
from edge_vc.data.pairs import load_pairs, make_pairs, pair_files


def test_pairs_are_made_by_processes_that_share_nothing_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Corpus.open(record(tmp_path / "recordings", 3, 1.0))
    # A fork would inherit this, together with torch's threads and their locks.
    monkeypatch.setattr(pairs, "hop_f0", lambda *_: pytest.fail("made in this process or a fork"))
    made = pair_files(list(corpus), tmp_path / "cache", workers=2, progress=(bar := Bar()))
    assert bar.shown == [(3, "recordings")]
    assert bar.done == [0, 1, 2]
    again = pair_files(list(corpus), tmp_path / "cache", workers=2, progress=(bar := Bar()))
    assert bar.shown == [(0, "recordings")]
    assert again == made
    monkeypatch.undo()
    for utterance, path in zip(corpus, made, strict=True):
        here, kept = make_pairs(utterance), load_pairs(path)
        for name in ("f0", "target", "source"):
            np.testing.assert_array_equal(getattr(kept, name), getattr(here, name))
        assert kept.name == utterance.utt_id
    assert not list((tmp_path / "cache").rglob("*.part"))
