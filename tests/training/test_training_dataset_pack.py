from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from speech_toys import listened, pair, pairs

from edge_vc.audio.io import write_audio
from edge_vc.data.development import Development
from edge_vc.data.pair_set import cleaned
from edge_vc.training.student.phones import PHONES
from edge_vc.training.teacher.dataset import Pack
from edge_vc.training.teacher.dataset_pack import (
    HASHES,
    PackError,
    PackSettings,
    read_pack,
    write_pack,
)
from edge_vc.training.teacher.sources import corpus_pack

NOISE = np.random.default_rng(0).uniform(-0.5, 0.5, 16000).astype(np.float32)
ROOM = np.eye(1, 800, dtype=np.float32)[0]


def test_a_pack_brings_back_speech_in_time(tmp_path: Path) -> None:
    write_pack(Pack((pair("me", 3),), (), ()), tmp_path, "me")
    (found,) = read_pack(tmp_path).pairs
    sent = pair("me", 3)
    assert (found.speaker, found.name, found.held_out) == (sent.speaker, sent.name, sent.held_out)
    np.testing.assert_allclose(found.f0, sent.f0, atol=0.06)
    assert found.inputs.shape == sent.inputs.shape
    for mine, theirs in zip(found.inputs, sent.inputs, strict=True):
        assert np.corrcoef(mine[800:-800], theirs[800:-800])[0, 1] > 0.98
    clean = cleaned(found.inputs[0].astype(np.float32) / 32767)
    assert np.corrcoef(found.target[800:-800], clean[800:-800])[0, 1] > 0.99


def test_phones_travel_and_are_checked(tmp_path: Path) -> None:
    sent = listened(pair("me", 3))
    write_pack(Pack((sent, pair("me", 4)), (), ()), tmp_path, "me")
    found, without = read_pack(tmp_path).pairs
    assert sent.phones is not None
    assert without.phones is None
    np.testing.assert_array_equal(found.phones, sent.phones)
    assert len(found.inputs) == len(without.inputs) == 2
    wrong = replace(sent, phones=np.full_like(sent.phones, len(PHONES)))
    write_pack(Pack((wrong,), (), ()), tmp_path, "me")
    with pytest.raises(PackError, match="me-3: phones are not 80 indices"):
        read_pack(tmp_path)


def test_parts_stay_below_their_size_and_lose_nothing(tmp_path: Path) -> None:
    sent = Pack(tuple(pairs()), (NOISE,), (ROOM,))
    size = write_pack(sent, tmp_path, "me", PackSettings(part_mb=0.03))
    parts = list(tmp_path.glob("part-*.safetensors"))
    assert len(parts) > 2
    assert sum(path.stat().st_size for path in parts) == size
    found = read_pack(tmp_path)
    assert [p.name for p in found.pairs] == [p.name for p in sent.pairs]
    assert [p.held_out for p in found.pairs] == [p.held_out for p in sent.pairs]
    assert len(found.noises[0]) == len(NOISE)
    np.testing.assert_array_equal(found.rooms[0], ROOM)


def test_processes_read_what_one_reads(tmp_path: Path) -> None:
    write_pack(Pack(tuple(pairs()), (NOISE,), (ROOM,)), tmp_path, "me")
    one, two = read_pack(tmp_path), read_pack(tmp_path, workers=2)
    for a, b in zip(one.pairs, two.pairs, strict=True):
        assert a.name == b.name
        np.testing.assert_array_equal(a.target, b.target)


def test_the_same_recordings_are_the_same_pack(tmp_path: Path) -> None:
    for name in "ab":
        write_pack(Pack((pair("me", 3),), (NOISE,), ()), tmp_path / name, "me")
    assert (tmp_path / "a" / HASHES).read_text() == (tmp_path / "b" / HASHES).read_text()


def test_writing_again_leaves_no_old_parts(tmp_path: Path) -> None:
    write_pack(Pack(tuple(pairs()), (), ()), tmp_path, "me", PackSettings(part_mb=0.02))
    write_pack(Pack((pair("me", 1),), (), ()), tmp_path, "me")
    assert [p.name for p in read_pack(tmp_path).pairs] == ["me-1"]


def test_bad_parts_are_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="holds no part-"):
        read_pack(tmp_path)
    path = tmp_path / "part-00.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(PackError, match="part-00.safetensors: not part of a pack"):
        read_pack(tmp_path)
    row = '[{"kind": "pair", "speaker": "a", "name": "b", "held": false, "frames": 5}]'
    save_file({"0.0": np.zeros(5, np.int16), "0.1": np.zeros(9, np.uint8)}, path, {"rows": row})
    with pytest.raises(PackError, match="recording 0 is not readable"):
        read_pack(tmp_path)
    save_file({"0.0": np.zeros(4, np.int16), "0.1": np.zeros(9, np.uint8)}, path, {"rows": row})
    with pytest.raises(PackError, match="5 frames, pitch of 4"):
        read_pack(tmp_path)


def test_the_targets_recordings_are_stored_at_a_higher_rate(tmp_path: Path) -> None:
    speech = Pack(tuple(pair("me", seed, 400) for seed in range(3)), (), ())
    target = write_pack(speech, tmp_path / "target", "me")
    other = write_pack(speech, tmp_path / "other", "you")
    assert target > 1.1 * other


def test_a_corpus_brings_its_noises_and_rooms_and_names_what_it_leaves_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, samples in {"a.wav": NOISE, "noise/hum.wav": NOISE, "rir/room.wav": ROOM}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_audio(tmp_path / name, samples, 16000)
    for name in ("noise", "rir"):
        (tmp_path / name / "empty.wav").touch()
    monkeypatch.setattr(Development, "of", lambda corpus: Development(corpus, corpus))
    monkeypatch.setattr("edge_vc.data.pairs.cached_pairs", lambda *given, **more: [])
    found = corpus_pack(tmp_path, tmp_path / "cache", 0)
    assert ([len(x) for x in found.noises], [len(x) for x in found.rooms]) == ([16000], [800])
    assert capsys.readouterr().err.splitlines() == [
        f"left out: {tmp_path}/noise/empty.wav: 0 bytes",
        f"left out: {tmp_path}/rir/empty.wav: 0 bytes",
    ]
