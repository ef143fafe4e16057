from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner
from voice_toys import TINY_VOICE, with_toy
from voices import record, voice

from edge_vc.augmentation.noise_bank import NoiseBank
from edge_vc.cli import app as whole_app
from edge_vc.data.corpus import write_metadata
from edge_vc.data.pair_set import PairSet, as_int16
from edge_vc.data.pairs import load_pairs
from edge_vc.data.utterance import Utterance
from edge_vc.models.content import registry
from edge_vc.models.voice.file import load_voice
from edge_vc.settings.field import RecipeError
from edge_vc.training.cli import app
from edge_vc.training.consent import next_lines
from edge_vc.training.voice import fitness, recordings
from edge_vc.training.voice.neighbours import FrameBank, cached_neighbours
from edge_vc.training.voice.pieces import LONGEST, cuts, stored_pieces
from edge_vc.training.voice.run import VoiceRun, train_voice
from edge_vc.training.voice.settings import ViewSettings, load_voice_settings
from edge_vc.training.voice.speakers import split
from edge_vc.training.voice.views import make_view, view_places


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "CONTENTS", with_toy())
    monkeypatch.setattr(recordings, "two_voices", lambda pairs: None)  # loads a speaker encoder


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eleven recordings of one voice, more than a minute."""
    folder = tmp_path_factory.mktemp("target")
    for seed in range(11):
        soundfile.write(folder / f"{seed:02d}.wav", voice(6.0, 150.0, seed), 16_000)
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run folder whose recordings and features are made once."""
    return tmp_path_factory.mktemp("kept")


def a_pair(seconds: float = 2.0) -> PairSet:
    frames = round(100 * seconds)
    audio = as_int16(voice(seconds, 150.0), frames)
    return PairSet("me", "one", np.full(frames, 150.0, np.float32), audio, audio)


def run(target: Path, out: Path, kept: Path, **more: object) -> tuple[Path, dict[str, float]]:
    """Train with the caches of ``kept``."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("recordings", "features"):
        (kept / name).mkdir(exist_ok=True)
        if not (out / name).exists():
            (out / name).symlink_to(kept / name)
    args = VoiceRun(target, out, "whisper", TINY_VOICE, "yes", steps=4)
    return train_voice(replace(args, **more))  # type: ignore[arg-type]


def test_a_resumed_run_ends_with_the_same_bytes(
    target: Path, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long both take."""
    with monkeypatch.context() as slow:
        clock = SimpleNamespace(monotonic=lambda: 100 * time.monotonic())
        slow.setattr("edge_vc.training.schedule.time", clock)
        whole, scores = run(target, tmp_path / "whole", kept, save_minutes=1e9)
    assert json.loads((tmp_path / "whole" / "run.json").read_text())["minutes"] > 0.5
    assert scores["natural"] > 0
    first, _ = run(target, tmp_path / "parts", kept, max_minutes=1e-9)
    facts = json.loads((tmp_path / "parts" / "run.json").read_text())
    assert (facts["steps"], facts["finished"], facts["consent"]) == (1, False, "yes")
    second, _ = run(target, tmp_path / "parts", kept)
    one, other = load_voice(whole), load_voice(second)
    assert first == second
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    assert whole.read_bytes() == second.read_bytes()
    assert one.config.units > 100
    assert one.config.target_log_f0 == pytest.approx(np.log(150), abs=0.1)
    assert list((tmp_path / "whole" / "samples").glob("*.wav"))
    log = (tmp_path / "whole" / "log.jsonl").read_text().splitlines()
    assert {"spectral", "adversarial", "matching", "validation"} <= json.loads(log[-1]).keys()


def test_a_finished_voice_carries_a_few_frames_and_names_what_it_converts_with(
    target: Path, kept: Path
) -> None:
    changes = (*TINY_VOICE, "kept_frames = 20", 'converts_with = "distilled"')
    weights, _ = train_voice(VoiceRun(target, kept, "whisper", changes, "yes", steps=1))
    network = load_voice(weights)
    assert 10 < network.config.units <= 20
    assert network.config.contents == "distilled"
    assert network.units.std() > 0
    frames = FrameBank(
        [f["contents"][0] for f in map(np.load, sorted((kept / "features").rglob("*.npz")))], 10**6
    ).frames
    known = {frame.tobytes() for frame in frames}
    assert all(unit.tobytes() in known for unit in network.units.half().numpy())


def test_views_are_what_their_places_say() -> None:
    pair, noises = a_pair(), NoiseBank.build([])
    settings = ViewSettings(room_share=1, noise_share=1, event_share=1)
    made = [make_view(pair, place, settings, noises) for place in view_places(settings)]
    assert [view.shape for view in made] == [(32_000,)] * 4
    raw = pair.source / np.float32(32767)
    gain = made[0] @ raw / (raw @ raw)
    np.testing.assert_allclose(made[0], gain * raw, atol=1e-4)
    for view in made[1:]:
        assert np.corrcoef(view, raw)[0, 1] < 0.95
        assert np.abs(view).max() <= 1
    again = [make_view(pair, place, settings, noises) for place in view_places(settings)]
    assert all(np.array_equal(a, b) for a, b in zip(made, again, strict=True))


def test_neighbours_are_of_other_recordings(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    contents = [rng.standard_normal((30, 4)).astype(np.float16) for _ in range(3)]
    bank = FrameBank(contents, 1000)
    found = cached_neighbours(bank, [c[None] for c in contents], 2, tmp_path)
    for owner, near in enumerate(found):
        assert near.shape == (1, 30, 2)
        assert not (bank.owners[near] == owner).any()
    query = contents[1][4].astype(np.float32) - bank.mean.numpy()
    keys = bank.frames.astype(np.float32) - bank.mean.numpy()
    alike = keys @ query / np.linalg.norm(keys, axis=1)
    alike[bank.owners == 1] = -np.inf
    assert set(np.argsort(alike)[-2:]) == set(found[1][0, 4])
    cached = cached_neighbours(bank, [c[None] for c in contents], 2, tmp_path)
    assert all(np.array_equal(a, b) for a, b in zip(found, cached, strict=True))
    assert len(FrameBank(contents, 40).frames) == 30


def test_too_little_and_unfit_recordings(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = record(tmp_path / "few", 2)
    loud = np.clip(20 * voice(4.0, 150.0, 7), -0.5, 0.5)
    soundfile.write(folder / "loud.wav", loud, 16_000)
    soundfile.write(folder / "silent.wav", np.zeros(32_000, np.float32), 16_000)
    fact = r"4 s of usable speech, 2 recordings left out \(1 .*; a voice needs 60 s at the least"
    with pytest.raises(RecipeError, match=fact):
        train_voice(VoiceRun(folder, tmp_path / "out", "whisper", TINY_VOICE, "yes", steps=1))
    said = capfd.readouterr().err
    assert "silent.wav: 0.00 s of voiced speech" in said
    assert "loud.wav: " in said
    assert "clipped; record again with less gain" in said


def test_long_recordings_are_cut_in_pauses(tmp_path: Path) -> None:
    audio = voice(50.0, 150.0)
    audio[16_000 * 15 : 16_000 * 15 + 4000] = 0
    frames = as_int16(audio, 5000)
    pair = PairSet("me", "one", np.full(5000, 150.0, np.float32), frames, frames)
    found = stored_pieces(pair, tmp_path / "one.npz")
    assert abs(cuts(pair)[0] - 1512) < 12
    assert all(500 <= len(piece.f0) <= LONGEST for _, piece in found)
    assert np.array_equal(np.concatenate([piece.target for _, piece in found]), frames)
    for path, piece in found:
        again = load_pairs(path)
        assert again.name == piece.name
        assert np.array_equal(again.source, piece.source)
    short = a_pair()
    assert stored_pieces(short, tmp_path / "two.npz") == [(tmp_path / "two.npz", short)]


def test_a_table_with_two_speakers_is_refused(tmp_path: Path) -> None:
    folder = record(tmp_path / "both", 2)
    rows = [
        Utterance(folder / f"0{n}.wav", f"0{n}", who, "", 2.0, "test", "source", "CC0-1.0", "")
        for n, who in enumerate(("ann", "bob"))
    ]
    write_metadata(folder, rows)
    with pytest.raises(RecipeError, match=r"recordings of 2 speakers \(ann, bob, ...\)"):
        train_voice(VoiceRun(folder, tmp_path / "out", "whisper", TINY_VOICE, "yes", steps=1))


def test_music_is_left_out_and_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = record(tmp_path / "few", 2)
    time = np.arange(6 * 16_000) / 16_000
    chord = sum(np.sin(2 * np.pi * f * time) for f in (110.0, 165.0, 220.0, 330.0))
    under = voice(6.0, 150.0, 1) + 0.1 * chord.astype(np.float32)
    soundfile.write(folder / "music.wav", under, 16_000)
    with pytest.raises(RecipeError, match="4 s of usable speech"):
        train_voice(VoiceRun(folder, tmp_path / "out", "whisper", TINY_VOICE, "yes", steps=1))
    assert "music.wav: its level falls by" in (said := capfd.readouterr().err)
    assert "music or noise under the voice; record again without" in said


@pytest.mark.parametrize(
    ("spoil", "kind", "way"),
    [
        (lambda a: np.clip(20 * a, -0.5, 0.5), "clipped", "record again with less gain"),
        (lambda a: 0 * a, "silent", "check the microphone and record again"),
    ],
)
def test_a_folder_of_one_fault_says_what_to_do_about_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], spoil, kind: str, way: str
) -> None:
    folder = tmp_path / "bad"
    folder.mkdir()
    for number in range(5):
        audio = spoil(voice(3.0, 150.0, number)).astype(np.float32)
        soundfile.write(folder / f"{number}.wav", audio, 16_000)
    with pytest.raises(RecipeError) as caught:
        recordings.read_recordings(folder, tmp_path / "out", 0, say=print)
    assert f"0 s of usable speech, 5 recordings left out (5 {kind})" in str(caught.value)
    assert str(caught.value).endswith(way)
    said = capfd.readouterr().out.splitlines()
    assert len(said) == 4  # three by name, and how many more
    assert said[-1] == f"left out: 2 more: {kind}"


def test_soft_music_is_warned_about() -> None:
    def under(level: float) -> PairSet:
        noise = np.random.default_rng(0).normal(0, level, 16_000 * 3)
        speech = voice(3.0, 150.0) * (np.sin(np.arange(48_000) / 6_000) > 0)
        frames = as_int16(speech + noise, 300)
        return PairSet("me", f"noise {level:g}", np.full(300, 150.0, np.float32), frames, frames)

    clean, soft = under(0.001), under(0.025)
    assert fitness.unfit(soft) is None
    assert fitness.suspected_music([clean] * 3) == ""
    assert fitness.suspected_music([clean] * 30 + [soft]) == ""
    warning = fitness.suspected_music([clean] * 3 + [soft])
    assert warning.startswith("1 of 4 recordings have no quiet pauses (noise 0.025)")


def test_two_speakers_of_one_pitch_are_suspected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = record(tmp_path / "few", 2)
    monkeypatch.setattr(recordings, "FEWEST_SECONDS", 1.0)
    monkeypatch.setattr(recordings, "two_voices", lambda pairs: (pairs[0].name, pairs[1].name))
    found = recordings.read_recordings(folder, tmp_path / "out", 0, say=print)
    assert len(found.pairs) == 2
    assert "sound like two speakers; listen, and keep one voice" in capfd.readouterr().out


def test_embeddings_of_two_speakers_fall_into_two_groups() -> None:
    rng = np.random.default_rng(0)
    one, other = np.eye(8)[0], np.eye(8)[1] + 0.5 * np.eye(8)[0]
    rows = np.stack([one] * 5 + [other] * 4) + 0.1 * rng.normal(size=(9, 8))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    first, second = sorted(split(rows))
    assert (first < 5, second >= 5) == (True, True)
    assert split(rows[:5]) is None
    assert split(np.vstack([rows[:5], rows[8:]])) is None  # one stranger alone is no second voice


def test_the_closing_lines_say_how_near_the_voice_is() -> None:
    scores = {"natural": 1.5, "validation": 1.6}
    near = {"similarity": 0.81, "similarity_recordings": 0.87}
    assert any(
        "0.810 with the voice perturbed" in line for line in next_lines(Path("v"), scores | near)
    )
    assert any("pip install 'edge-vc[evaluate]'" in line for line in next_lines(Path("v"), scores))
    assert "compress base --teacher out" in next_lines(Path("out/voice.safetensors"), {})[-1]


def test_a_second_voice_is_suspected(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    for seed in range(10):
        audio = voice(6.5, 100.0 if seed % 2 else 230.0, seed)
        soundfile.write(folder / f"{seed}.wav", audio, 16_000)
    words = (*TINY_VOICE, "frames = 2000", "losses = {adversarial_frames = 32}")
    with pytest.raises(RecipeError, match="no recording is 20.00 s long"):
        train_voice(VoiceRun(folder, tmp_path / "out", "whisper", words, "yes", steps=1))
    assert "if that is more than one voice, keep one voice in a folder" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ("crops = 0", "must be 1 or more"),
        ("natural_share = 2", "within 0..1"),
        ("retrievals = []", "retrievals"),
        ("views = {copies = 0}", "copies = 0"),
        ("views = {snr_db = [9, 3]}", "snr_db"),
        ("losses = {adversarial_frames = 500}", "adversarial_frames = 500"),
        ("network = {units = 30}", "set kept_frames"),
        ("kept_frames = 3", "must be network.neighbours = 4 or more"),
        (
            "converts_with = 'distiled'",
            "encoder of converts_with; did you mean distilled",
        ),
        ("contentz = 'hama'", "did you mean contents"),
        ("contents = ", "not TOML"),
    ],
)
def test_bad_settings_are_named(change: str, fact: str) -> None:
    with pytest.raises(RecipeError, match=fact):
        load_voice_settings("whisper", (change,))


def test_shipped_recipes_name_their_contents() -> None:
    for name in ("whisper", "distilled", "hama"):
        settings = load_voice_settings(name)
        assert settings.contents == settings.network.contents == name
    with pytest.raises(RecipeError, match="allowed: distilled, hama, whisper"):
        load_voice_settings("wisper")


def test_the_command_asks_for_consent_and_a_folder(target: Path, tmp_path: Path) -> None:
    runner, out = CliRunner(), str(tmp_path / "out")
    missing = runner.invoke(app, ["teacher", "--target", str(target), "--out", out])
    assert missing.exit_code == 2
    assert "with --consent TEXT" in missing.output
    words = ["teacher", "--out", out, "--consent", "mine"]
    nowhere = runner.invoke(app, [*words, "--target", "nobody"])
    assert nowhere.exit_code == 2
    assert "--target nobody: no such folder" in nowhere.output
    unknown = runner.invoke(app, [*words, "--target", str(target), "--set", "contents = 'bert'"])
    assert unknown.exit_code == 2
    assert "allowed are whisper, distilled, hama, toy" in unknown.output
    assert not (tmp_path / "out" / "recordings").exists()
    assert (tmp_path / "out" / "consent.txt").read_text() == "mine\n"


@pytest.mark.parametrize("option", ["--corpus", "--pack"])
def test_options_of_the_former_teacher_say_what_to_give(option: str, tmp_path: Path) -> None:
    words = ["train", "teacher", option, str(tmp_path), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(whole_app, words)
    assert done.exit_code == 2
    assert done.stderr == (
        f"edge-vc train teacher: error: No such option: {option}; a teacher learns from one "
        "voice's recordings: --target FOLDER; see edge-vc train teacher --help\n"
    )
