"""From recordings to a corpus: what is kept, what is dropped, what is the same the next time."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bars import Bar

from edge_vc.audio.fingerprint import find_matches, fingerprint
from edge_vc.audio.io import read_audio
from edge_vc.audio.level import active_level_db
from edge_vc.data.corpus import Corpus
from edge_vc.data.utterance import COLUMNS
from edge_vc.prepare import preparation, write
from edge_vc.prepare.output import STATE
from edge_vc.prepare.preparation import prepare
from edge_vc.prepare.settings import PrepareError, PrepareSettings

RATE = 16000


def files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*.flac"))
    }


def test_speech_is_cut_and_levelled(recordings: Path, tmp_path: Path) -> None:
    prepared = prepare(recordings, tmp_path / "out")
    assert not prepared.drops
    corpus = Corpus.open(tmp_path / "out")
    assert corpus.speakers == tuple(f"speaker{n}" for n in range(4))
    assert {u.role for u in corpus} == {"source"}
    for utterance in corpus:
        assert soundfile.info(utterance.path).samplerate == RATE
        samples = utterance.read(RATE)
        assert samples.size / RATE == pytest.approx(utterance.seconds, abs=1e-3)
        assert active_level_db(samples, RATE) == pytest.approx(-23.0, abs=0.5)
    sides = [Corpus.open(tmp_path / "out" / side) for side in ("train", "validation")]
    assert sum(map(len, sides)) == len(corpus)
    assert not set(sides[0].speakers) & set(sides[1].speakers)


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("bits.wav", 44100, 2, "PCM_U8"),
        ("float.wav", 48000, 1, "FLOAT"),
        ("telephone.wav", 8000, 1, "ULAW"),
        ("Größe 声.mp3", 22050, 1, "MPEG_LAYER_III"),
    ],
)
def test_any_audio_is_taken(
    sentences: list[np.ndarray], tmp_path: Path, name: str, rate: int, channels: int, subtype: str
) -> None:
    import soxr

    samples = soxr.resample(sentences[0], RATE, rate)
    path = tmp_path / "in" / "anna" / name
    path.parent.mkdir(parents=True)
    soundfile.write(path, np.stack([samples] * channels, axis=1), rate, subtype=subtype)
    prepare(tmp_path / "in", tmp_path / "out")
    (utterance,) = Corpus.open(tmp_path / "out")
    assert utterance.utt_id == Path(name).stem
    assert utterance.seconds > 0.8 * sentences[0].size / RATE


def test_what_cannot_be_used_is_named(recordings: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    nan = np.full(RATE, np.nan, np.float32)
    speech = read_audio(recordings / "speaker0" / "take0.wav", RATE)
    bad = recordings / "bad"
    bad.mkdir()
    for name, samples in (
        ("silence", np.zeros(2 * RATE)),
        ("hiss", rng.normal(0, 0.1, 2 * RATE)),
        ("nan", nan),
        ("scrap", speech[8000:16000]),
        ("clipped", np.clip(speech / np.abs(speech).max() * 8, -1, 1)),
        ("header", np.zeros(0)),
    ):
        soundfile.write(bad / f"{name}.wav", samples, RATE, subtype="FLOAT")
    (bad / "text.wav").write_text("hello")
    prepared = prepare(recordings, tmp_path / "out")
    assert {Path(drop.source).stem: drop.reason for drop in prepared.drops} == {
        "silence": "no speech",
        "hiss": "no speech",
        "nan": "unreadable",
        "scrap": "too short",
        "clipped": "clipped",
        "header": "empty",
        "text": "unreadable",
    }
    assert len(prepared.kept) == 8
    table = (tmp_path / "out" / "dropped.csv").read_text().splitlines()
    assert len(table) == 8
    assert any(line.startswith("bad/nan.wav|0.00|1.00|unreadable|sample 0") for line in table)


def test_copies_are_left_out(recordings: Path, tmp_path: Path) -> None:
    original = recordings / "speaker0" / "take0.wav"
    samples = read_audio(original, RATE)
    soundfile.write(recordings / "speaker1" / "zz same.flac", samples, RATE)
    soundfile.write(recordings / "speaker1" / "zz softer.wav", 0.3 * samples[1000:], RATE)
    prepared = prepare(recordings, tmp_path / "out")
    reasons = {Path(drop.source).stem: (drop.reason, drop.detail) for drop in prepared.drops}
    assert reasons["zz same"] == ("exact duplicate", "the same samples as speaker0/take0.wav")
    assert reasons["zz softer"][0] == "near duplicate"
    assert "speaker0/take0.wav at " in reasons["zz softer"][1]
    assert not [name for name in files(tmp_path / "out") if "zz" in name]
    original.unlink()
    again = prepare(recordings, tmp_path / "out")
    assert [drop.reason for drop in again.drops] == ["near duplicate"]
    assert [name for name in files(tmp_path / "out") if "zz same" in name]


def test_long_recordings_are_segmented_and_lose_their_text(
    sentences: list[np.ndarray], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    pause = np.zeros(RATE, np.float32)
    long = np.concatenate([part for s in sentences[:6] for part in (s, pause)])
    soundfile.write(folder / "long.wav", long, RATE)
    soundfile.write(folder / "short.wav", np.concatenate([sentences[6], pause, sentences[7]]), RATE)
    rows = [
        f"{name}.wav|{name}|anna|F|1|mine|target|CC0|what is said" for name in ("long", "short")
    ]
    (folder / "metadata.csv").write_text("\n".join(["|".join(COLUMNS), *rows]))
    prepare(folder, tmp_path / "out")
    corpus = Corpus.open(tmp_path / "out")
    texts = {utterance.utt_id: utterance.text for utterance in corpus}
    assert texts.pop("short") == "what is said"
    assert set(texts.values()) == {""}
    assert len(texts) >= 6
    assert {u.role for u in corpus} == {"target"}
    assert sum(u.seconds for u in corpus if u.text == "") < long.size / RATE - 4


def test_a_second_run_does_nothing_and_a_third_takes_what_is_new(
    recordings: Path, tmp_path: Path, sentences: list[np.ndarray]
) -> None:
    out = tmp_path / "out"
    prepare(recordings, out, progress=(bar := Bar()))
    assert bar.done == list(range(bar.shown[0][0] + 1))
    before = files(out)
    sides = {u.speaker: u.path.relative_to(out).parts[0] for u in Corpus.open(out)}
    prepare(recordings, out, progress=(bar := Bar()))
    assert files(out) == before
    assert not bar.shown
    for number, sentence in enumerate(sentences[8:]):
        (recordings / f"new{number}").mkdir()
        soundfile.write(recordings / f"new{number}" / "take.wav", sentence, RATE)
    prepare(recordings, out, progress=(bar := Bar()))
    assert bar.shown == [(round(sum(map(len, sentences[8:])) / RATE), "prepare")]
    after = files(out)
    assert {name: after[name] for name in before} == before
    grown = {u.speaker: u.path.relative_to(out).parts[0] for u in Corpus.open(out)}
    assert {name: grown[name] for name in sides} == sides
    shutil.rmtree(recordings / "new0")
    prepare(recordings, out)
    assert not [name for name in files(out) if "new0" in name]


def test_lost_files_and_damaged_records_are_made_again(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(recordings, out)
    before = files(out)
    (out / next(iter(before))).unlink()
    record = sorted((out / STATE / "records").glob("*.json"))[3]
    record.write_text('{"source": 3}')
    prepare(recordings, out)
    assert files(out) == before


def test_a_run_that_dies_goes_on(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = prepare(recordings, tmp_path / "whole")
    seconds = round(sum(u.seconds for u in Corpus.open(recordings)))
    with pytest.raises(KeyboardInterrupt):
        prepare(recordings, tmp_path / "out", progress=Bar(stop_at=seconds // 2))
    assert 0 < len(files(tmp_path / "out")) < 8
    assert not (tmp_path / "out" / "metadata.csv").exists()
    prepare(recordings, tmp_path / "out")
    assert files(tmp_path / "out") == files(whole.root)
    assert not list((tmp_path / "out").rglob("*.part*"))


def test_a_full_disk_ends_the_run(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(write, "write_audio", full)
        with pytest.raises(PrepareError, match=r"take\d.flac: not written: No space"):
            prepare(recordings, tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.flac"))
    assert len(prepare(recordings, tmp_path / "out").kept) == 8


def test_variants_are_listed_and_reproducible(recordings: Path, tmp_path: Path) -> None:
    for number in (2, 3):
        shutil.rmtree(recordings / f"speaker{number}")
    settings = PrepareSettings(variants=2)
    for name in ("one", "two"):
        prepare(recordings, tmp_path / name, settings)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    corpus = Corpus.open(tmp_path / "one" / "train")
    plain = [u for u in corpus if "-v" not in u.utt_id]
    assert len(corpus) == 3 * len(plain)
    for utterance in corpus:
        assert utterance.seconds == pytest.approx(utterance.read(RATE).size / RATE, abs=1e-3)
    aside = Corpus.open(tmp_path / "one" / "validation")
    assert not [u for u in aside if "-v" in u.utt_id]


def test_folders_that_are_in_the_way_are_refused(recordings: Path, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("keep")
    for out, fact in (
        (full, "is not empty and was not made here"),
        (full / "mine.txt", "is a file"),
        (recordings / "out", "is within"),
        (tmp_path, "is within"),
    ):
        with pytest.raises(PrepareError, match=fact):
            prepare(recordings, out)
        with pytest.raises(PrepareError, match=fact):
            prepare(recordings, out, overwrite=True)
    assert (full / "mine.txt").read_text() == "keep"


def test_other_settings_need_another_folder_or_overwrite(recordings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(recordings, out)
    other = PrepareSettings(level_db=-30.0, audio_format="wav")
    with pytest.raises(PrepareError, match="prepared with another audio_format, level_db; choose"):
        prepare(recordings, out, other)
    prepare(recordings, out, other, overwrite=True)
    assert not files(out)
    assert {u.path.suffix for u in Corpus.open(out)} == {".wav"}
    (out / STATE / "run.json").write_text("{")
    with pytest.raises(PrepareError, match="damaged"):
        prepare(recordings, out, other)


@pytest.mark.slow
def test_several_processes_give_the_same(recordings: Path, tmp_path: Path) -> None:
    bar = Bar()
    prepare(recordings, tmp_path / "one")
    prepare(recordings, tmp_path / "two", jobs=2, progress=bar)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert (tmp_path / "one" / "metadata.csv").read_text() == (
        tmp_path / "two" / "metadata.csv"
    ).read_text()
    assert bar.done == list(range(bar.shown[0][0] + 1))
    assert bar.closed == len(bar.shown) == 1


@pytest.mark.parametrize("jobs", [0, 1000])
def test_absurd_jobs_are_refused(recordings: Path, tmp_path: Path, jobs: int) -> None:
    with pytest.raises(PrepareError, match="jobs; give 1 to 256"):
        preparation.prepare(recordings, tmp_path / "out", jobs=jobs)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_recording(
    sentences: list[np.ndarray], tmp_path: Path
) -> None:
    """A recording of twenty minutes would be 77 MB as one array, and many arrays are made."""
    script = (
        "import resource, sys; from edge_vc.prepare.preparation import prepare;"
        "prepare(sys.argv[1], sys.argv[2]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    peak_mb = {}
    for minutes in (1, 20):
        path = tmp_path / f"{minutes}" / "long.flac"
        path.parent.mkdir()
        rng = np.random.default_rng(0)
        with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
            while file.frames < minutes * 60 * RATE:
                file.write(sentences[int(rng.integers(0, len(sentences)))])
        command = [sys.executable, "-c", script, str(path.parent), str(tmp_path / f"out{minutes}")]
        done = subprocess.run(command, capture_output=True, timeout=300, check=True)
        peak_mb[minutes] = float(done.stdout)
    assert peak_mb[20] < peak_mb[1] + 40


@pytest.mark.corpus
def test_second_takes_are_no_duplicates(corpus: Path) -> None:
    evaluation = Corpus.open(corpus / "eval")
    takes = [*evaluation.select(role="target-reference"), *evaluation.select(role="target-retake")]
    prints = [fingerprint(take.read(RATE), RATE) for take in takes]
    assert find_matches(prints) == []
    assert len(find_matches([*prints, prints[3]])) == 1
