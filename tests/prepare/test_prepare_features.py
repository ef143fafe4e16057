"""Features lie beside the corpus, complete, and are not made twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_vc.audio.feature_set import FEATURES, FeatureSettings, extract
from edge_vc.audio.io import AudioError, read_audio, write_audio
from edge_vc.data.corpus import Corpus
from edge_vc.prepare.features import write_features
from edge_vc.prepare.preparation import prepare


def stored(root: Path) -> dict[str, int]:
    """Features by path, with the time of the last change."""
    paths = sorted((root / "features").rglob("*"))
    return {p.relative_to(root).as_posix(): p.stat().st_mtime_ns for p in paths if p.is_file()}


@pytest.fixture
def prepared(recordings: Path, tmp_path: Path) -> Path:
    prepare(recordings, tmp_path / "out")
    return tmp_path / "out"


def test_every_utterance_has_its_arrays(prepared: Path) -> None:
    assert write_features(prepared, list(FEATURES)) == 8
    corpus = Corpus.open(prepared)
    for utterance in corpus:
        place = utterance.path.relative_to(prepared).with_suffix(".npz")
        with np.load(prepared / "features" / place, allow_pickle=False) as found:
            expected = extract(utterance.read(16000), list(FEATURES))
            assert set(found) == expected.keys() | {"made_of", "sha256"}
            for name, array in expected.items():
                np.testing.assert_array_equal(found[name], array, err_msg=name)
    assert len(stored(prepared)) == len(corpus) == 8


def test_processes_write_what_one_writes(prepared: Path) -> None:
    write_features(prepared, ["energy"], jobs=2)
    first = {name: (prepared / name).read_bytes() for name in stored(prepared)}
    for name in first:
        (prepared / name).unlink()
    write_features(prepared, ["energy"])
    assert {name: (prepared / name).read_bytes() for name in stored(prepared)} == first


def test_only_what_has_changed_is_made_again(prepared: Path) -> None:
    write_features(prepared, ["energy"])
    before = stored(prepared)
    write_features(prepared, ["energy"])
    assert stored(prepared) == before
    damaged, other = sorted(before)[:2]
    (prepared / damaged).write_bytes(b"PK")
    changed = (prepared / Path(other).relative_to("features")).with_suffix(".flac")
    write_audio(changed, 0.5 * read_audio(changed, 16000), 16000)
    write_features(prepared, ["energy"])
    after = stored(prepared)
    assert {name for name in after if after[name] != before[name]} == {damaged, other}
    write_features(prepared, ["energy"], FeatureSettings(hop=80))
    assert all(after[name] != time for name, time in stored(prepared).items())


def test_features_of_what_is_gone_are_deleted(recordings: Path, prepared: Path) -> None:
    write_features(prepared, ["energy"])
    (recordings / "speaker0" / "take0.wav").unlink()
    prepare(recordings, prepared)
    names = stored(prepared)
    assert len(names) == 7
    assert not [name for name in names if "speaker0/take0" in name]
    prepare(recordings, prepared, overwrite=True)
    assert not stored(prepared)


def test_an_unknown_feature_is_named(prepared: Path) -> None:
    with pytest.raises(AudioError, match="feature 'loudness' is not one of stft, log-mel"):
        write_features(prepared, ["loudness"])
