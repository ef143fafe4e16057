"""Training pairs, made in fresh processes and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bars import Bar
from voices import record

from edge_vc.data import pairs
from edge_vc.data.corpus import Corpus
from edge_vc.data.pairs import cached_pairs, make_pairs


def test_pairs_are_made_by_processes_that_share_nothing_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Corpus.open(record(tmp_path / "recordings", 3, 1.0))
    # A fork would inherit this, together with torch's threads and their locks.
    monkeypatch.setattr(pairs, "hop_f0", lambda *_: pytest.fail("made in this process or a fork"))
    made = cached_pairs(
        list(corpus), tmp_path / "cache", variants=1, workers=2, progress=(bar := Bar())
    )
    assert bar.shown == [(3, "voices are perturbed")]
    assert bar.done == [0, 1, 2]
    again = cached_pairs(
        list(corpus), tmp_path / "cache", variants=1, workers=2, progress=(bar := Bar())
    )
    assert bar.shown == [(0, "voices are perturbed")]
    monkeypatch.undo()
    for utterance, first, second in zip(corpus, made, again, strict=True):
        here = make_pairs(utterance, 1, 0, pairs.PerturbSettings(), clean=True)
        for name in ("f0", "target", "inputs"):
            np.testing.assert_array_equal(getattr(first, name), getattr(here, name))
            np.testing.assert_array_equal(getattr(second, name), getattr(here, name))
        assert first.name == utterance.utt_id
    assert not list((tmp_path / "cache").rglob("*.part"))
