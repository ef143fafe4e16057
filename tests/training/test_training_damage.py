"""What trainings keep for the next run: damage is noticed, and what can be is made again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from damages import DAMAGES, Damage, every
from speech_toys import pair
from voices import record

from edge_vc.data import pairs as pair_cache
from edge_vc.data.corpus import Corpus
from edge_vc.data.pairs import PerturbSettings, load_pairs, pair_files
from edge_vc.training.checkpoint import Checkpoint, CheckpointError
from edge_vc.training.student import phones
from edge_vc.training.teacher.dataset import Pack
from edge_vc.training.teacher.dataset_pack import PackError, read_pack, write_pack


@every
def test_pairs_of_a_changed_recording_or_damaged_ones_are_made_again(
    tmp_path: Path, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(source: object, *_: object) -> object:
        made.append(source.utt_id)  # type: ignore[attr-defined]
        return pair("me", int(source.utt_id))  # type: ignore[attr-defined]

    monkeypatch.setattr(pair_cache, "make_pairs", make)
    recordings = record(tmp_path / "recordings", 3, 1.0)

    def files() -> list[Path]:
        made.clear()
        sources = list(Corpus.open(recordings))
        return pair_files(
            sources, tmp_path / "cache", variants=1, settings=PerturbSettings(), workers=1
        )

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


@every
def test_recognised_phones(tmp_path: Path, damage: Damage, monkeypatch: pytest.MonkeyPatch) -> None:
    class Listener:
        heard = 0

        def label(self, samples: np.ndarray, text: str) -> np.ndarray:
            Listener.heard += 1
            return np.full(3, len(text), np.int8)

    monkeypatch.setattr(phones, "_listener", Listener())
    job = (np.arange(400, dtype=np.int16), "hello", tmp_path)
    other = (np.arange(400, dtype=np.int16), "you", tmp_path)
    assert (phones._kept(job) == 5).all()
    (path,) = tmp_path.iterdir()
    phones._kept(other)
    (beside,) = set(tmp_path.iterdir()) - {path}
    assert Listener.heard == 2
    phones._kept(job)
    assert Listener.heard == 2
    damage(path, beside)
    assert (phones._kept(job) == 5).all()
    assert Listener.heard == 3


@every
def test_parts_of_a_training_set(tmp_path: Path, damage: Damage) -> None:
    write_pack(Pack((pair("me", 3),), (), ()), tmp_path / "a", "me")
    write_pack(Pack((pair("me", 4),), (), ()), tmp_path / "b", "me")
    part = tmp_path / "a" / "part-00.safetensors"
    assert len(read_pack(tmp_path / "a").pairs) == 1
    damage(part, tmp_path / "b" / part.name)
    with pytest.raises(PackError) as error:
        read_pack(tmp_path / "a")
    assert str(tmp_path / "a") in str(error.value)
    assert "\n" not in str(error.value)


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
