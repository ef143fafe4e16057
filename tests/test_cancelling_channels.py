"""Channels that cancel each other: every verb that averages channels names the file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from onnx import TensorProto, helper, save
from voices import voice

from edge_vc.assets import bundle_path
from edge_vc.audio.noise_folder import NOISE_FOLDERS
from edge_vc.augmentation.augment import Surroundings
from edge_vc.augmentation.noise_bank import read_folder

SAID = "its channels cancel each other (opposite polarity): channel 1, the loudest, is taken alone"
BUNDLE = str(bundle_path("kathleen-nano"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of one such recording, silent for its first seconds, and a teacher."""
    root = tmp_path_factory.mktemp("cancelling")
    folder = root / "corpus" / "unseen-source" / "ann"
    folder.mkdir(parents=True)
    audio = np.concatenate([np.zeros(11 * 16000, np.float32), voice(2.5)])
    soundfile.write(folder / "swapped.wav", np.stack([audio, -0.95 * audio], axis=1), 16000)
    soundfile.write(folder / "plain.wav", np.stack([audio, audio], axis=1), 16000)
    border = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "T"]) for name in ("a", "b")
    ]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["a"], ["b"])], "g", *[[b] for b in border]
    )
    opset = [helper.make_opsetid("", 17)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=8), root / "same.onnx")
    return root


def label(root: Path) -> list[str]:
    teacher, out = str(root / "same.onnx"), str(root / "labels")
    return [
        "edge_vc",
        "label",
        str(root / "corpus"),
        "--teacher",
        teacher,
        "-o",
        out,
        "--workers",
        "1",
    ]


def prepare(root: Path) -> list[str]:
    return ["edge_vc", "prepare", str(root / "corpus"), "-o", str(root / "prepared")]


def compress(root: Path) -> list[str]:
    out = ["--run", str(root / "run")]
    return ["edge_vc", "compress", "quick", "--corpus", str(root / "corpus"), *out]


def train(root: Path) -> list[str]:
    folder = ["--target", str(root / "corpus"), "--out", str(root / "voice")]
    return ["edge_vc", "train", "teacher", *folder, "--consent", "Ours."]


def evaluate(root: Path) -> list[str]:
    return ["edge_vc", "evaluate", "source", "--corpus", str(root / "corpus")]


def target_voice(root: Path) -> list[str]:
    return ["edge_vc", "target-voice", str(root / "corpus"), "-o", str(root / "voice.json")]


def run(root: Path) -> list[str]:
    recording = root / "corpus" / "unseen-source" / "ann" / "swapped.wav"
    return ["edge_vc", "run", BUNDLE, str(recording), str(root / "out.wav")]


def backed(root: Path) -> list[str]:
    folder = root / "corpus" / "unseen-source" / "ann"
    track = ["--backing", str(folder / "swapped.wav")]
    return ["edge_vc", "run", BUNDLE, str(folder / "plain.wav"), str(root / "sung.wav"), *track]


def label_of_pairs(root: Path) -> list[str]:
    """The conversion is what cancels; the recording is not."""
    swapped, pairs = root / "corpus" / "unseen-source" / "ann" / "swapped.wav", root / "pairs"
    (root / "sound").mkdir()
    pairs.mkdir()
    shutil.copy(swapped.with_name("plain.wav"), root / "sound" / "a.wav")
    shutil.copy(swapped.with_name("plain.wav"), pairs / "a_original.wav")
    shutil.copy(swapped, pairs / "a_converted.wav")
    options = ["--teacher", str(pairs), "-o", str(root / "pair-labels"), "--workers", "1"]
    return ["edge_vc", "label", str(root / "sound"), *options]


def evaluate_conversions(root: Path) -> list[str]:
    swapped = root / "corpus" / "unseen-source" / "ann" / "swapped.wav"
    (root / "conversions").mkdir()
    shutil.copy(swapped, root / "conversions" / "plain.wav")
    return [*evaluate(root), f"conv={root / 'conversions'}"]


def noises(root: Path) -> Path:
    """A folder of noises and rooms: two that cancel, and one that is not audio."""
    folder = root / "noises"
    for name in NOISE_FOLDERS:
        if not (folder / name).is_dir():
            (folder / name).mkdir(parents=True)
            swapped = root / "corpus" / "unseen-source" / "ann" / "swapped.wav"
            shutil.copy(swapped, folder / name / f"{name}.wav")
            (folder / name / "broken.flac").write_bytes(b"no audio")
    return folder


def prepare_noisy(root: Path) -> list[str]:
    own, folder = str(root / "noisy"), noises(root)
    said = ["--variants", "1", "--noise", str(folder / "noise"), "--rooms", str(folder / "rir")]
    return ["edge_vc", "prepare", str(root / "corpus"), "-o", own, *said]


def compress_noisy(root: Path) -> list[str]:
    recipe = root / "noisy.toml"
    recipe.write_text(f'[noise]\nshare = 0.5\nfolder = "{noises(root)}"\n')
    out = ["--run", str(root / "noisy-run")]
    return ["edge_vc", "compress", str(recipe), "--corpus", str(root / "corpus"), *out]


def train_noisy(root: Path) -> list[str]:
    return [*train(root), "--noises", str(noises(root))]


def piped(root: Path) -> list[str]:
    return ["edge_vc", "run", BUNDLE, "-", str(root / "piped.wav")]


NOISY = (prepare_noisy, compress_noisy, train_noisy)
QUICK = (run, piped, backed)
SLOW = (
    label, label_of_pairs, prepare, compress, train, evaluate, evaluate_conversions, target_voice,
    *NOISY,
)  # fmt: skip
NAMED = {
    piped: "stdin", label_of_pairs: "pairs/a_converted.wav",
    evaluate_conversions: "conversions/plain.wav",
}  # fmt: skip


@pytest.mark.parametrize(
    "verb",
    [
        *QUICK,
        *(pytest.param(verb, marks=pytest.mark.slow) for verb in SLOW),
    ],
)
def test_every_verb_names_the_file(place: Path, verb: Callable[[Path], list[str]]) -> None:
    swapped = place / "corpus" / "unseen-source" / "ann" / "swapped.wav"
    with swapped.open("rb") as content:
        done = subprocess.run(
            [sys.executable, "-m", *verb(place)], stdin=content, capture_output=True, check=False
        )
    said = " ".join(done.stderr.decode().split())
    name = NAMED.get(verb, str(swapped))
    assert f"{name}: {SAID}" in said, said
    for bed in NOISE_FOLDERS if verb in NOISY else ():
        assert f"{place}/noises/{bed}/{bed}.wav: {SAID}" in said, said
        assert f"left out: {place}/noises/{bed}/broken.flac: not readable as audio" in said, said
    assert "ann/plain.wav: its channels" not in said


def test_one_bad_noise_leaves_the_others(place: Path) -> None:
    folder, said = noises(place) / "noise", list[str]()
    (noise,) = read_folder(folder, said.append)
    assert np.abs(noise[-8000:]).max() < 1e-6  # silence comes first
    assert [line.partition(": ")[0] for line in said] == ["left out", str(folder / "noise.wav")]
    assert [path.name for path in Surroundings.open(folder, None).noises] == ["noise.wav"]
