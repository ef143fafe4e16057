"""A synthetic corpus: many speakers of English, from eSpeak NG.

A short ``compress`` run trains on it if no recordings are at hand. Every sentence has its own
speaker: accent, variant, pitch, liveliness, tempo, vocal-tract length, loudness and room.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import lfilter

from edge_vc.audio.io import Samples, resample, write_audio
from edge_vc.audio.level import normalize_level
from edge_vc.data.corpus import Corpus, write_metadata
from edge_vc.data.corpus_table import METADATA, CorpusError
from edge_vc.data.synthetic.espeak import Request, Speaker
from edge_vc.data.synthetic.sentences import SENTENCES
from edge_vc.data.utterance import Utterance
from edge_vc.workers.progress import Progress, PushedProgress, no_progress
from edge_vc_runtime.files.writing import write_whole

SAMPLE_RATE = 16000
"""Sample rate of the corpus that is written, Hz."""

ACCENTS = (
    "en-us", "en", "en-GB-x-rp", "en-GB-scotland", "en-GB-x-gbclan", "en-GB-x-gbcwmd", "en-029",
    "en-US-nyc",
)  # fmt: skip
WOMEN = (
    "f1", "f2", "f3", "f4", "f5", "Alicia", "Andrea", "anika", "belinda", "grandma", "linda",
)  # fmt: skip
MEN = (
    "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "Denis", "Diogo", "Mario", "Michael", "max",
    "michel", "miguel", "paul", "robert", "sandro", "travis", "victor",
)  # fmt: skip

_RECIPE = "synthetic.json"
_VERSION = 1


@dataclass(frozen=True)
class Voice:
    """One random speaker, with the sentence, level and acoustics."""

    request: Request
    sex: str
    tract: float
    """Factor by which formants and pitch are raised."""
    level_db: float
    """Level of active speech, dBFS."""
    noise_db: float
    """Room noise, dB below the speech."""
    tilt: float
    """First-order equaliser of the microphone, 0.5 (dark) to -0.5 (bright)."""


def synthesize_corpus(
    folder: str | Path,
    minutes: float,
    seed: int = 0,
    progress: Progress = no_progress,
) -> Corpus:
    """Write a corpus of about ``minutes`` (it ends with the sentence that exceeds them).

    Writes FLAC at `SAMPLE_RATE` and the table of `Corpus`, role ``source``. The same arguments
    give the same bytes, and a folder that already contains them is opened as it is. The table is
    written last: without it, the work was interrupted and is done again. Raises `CorpusError` for
    a folder with other files in it.
    """
    if not 0 < minutes <= 600:
        raise CorpusError(f"{minutes} minutes of synthetic speech; ask for more than 0, up to 600")
    root = Path(folder).resolve()
    recipe = {"version": _VERSION, "minutes": minutes, "seed": seed}
    if _claim(root, recipe):
        return Corpus.open(root)
    utterances: list[Utterance] = []
    seconds = 0.0
    rng = np.random.default_rng(seed)
    bar = PushedProgress(progress, "synthesising speech")
    with closing(bar), Speaker() as speaker:
        for number, voice in enumerate(draw_voices(rng)):
            spoken, rate = speaker.speak(voice.request)
            utterances.append(_store(root, number, voice, _record(spoken, rate, voice, rng)))
            seconds += utterances[-1].seconds
            bar.reach(seconds / 60 / minutes)
            if seconds >= minutes * 60:
                break
    write_metadata(root, utterances)
    return Corpus.open(root)


def draw_voices(rng: np.random.Generator) -> Iterator[Voice]:
    """Yield speakers endlessly, women and men alternating, every sentence before any repeats."""
    number = 0
    while True:
        for index in rng.permutation(len(SENTENCES)):
            yield _draw(rng, SENTENCES[index], "FM"[number % 2])
            number += 1


def _draw(rng: np.random.Generator, text: str, sex: str) -> Voice:
    accent, variant = rng.choice(ACCENTS), rng.choice(WOMEN if sex == "F" else MEN)
    # With these ranges women speak at about 145-270 Hz and men at 75-150 Hz.
    pitch = rng.integers(28, 60) if sex == "F" else rng.integers(25, 80)
    return Voice(
        request=Request(
            text=text,
            voice=f"{accent}+{variant}",
            pitch=int(pitch),
            pitch_range=int(rng.integers(30, 85)),
            rate=int(rng.integers(130, 190)),
        ),
        sex=sex,
        tract=float(np.exp(rng.uniform(-0.1, 0.1))),
        level_db=float(rng.uniform(-32, -18)),
        noise_db=float(rng.uniform(30, 60)),
        tilt=float(rng.uniform(-0.3, 0.4)),
    )


def _record(spoken: Samples, rate: int, voice: Voice, rng: np.random.Generator) -> Samples:
    """Return the voice as recorded by a microphone in a room, ``[T]`` at `SAMPLE_RATE`."""
    moved = resample(spoken, round(rate * voice.tract), SAMPLE_RATE)
    tilted = np.asarray(lfilter([1.0, voice.tilt], [1.0], moved), dtype=np.float32)
    before, after = (int(rng.uniform(0.05, 0.4) * SAMPLE_RATE) for _ in range(2))
    levelled = np.pad(normalize_level(tilted, SAMPLE_RATE, voice.level_db), (before, after))
    # Room noise falls towards high frequencies.
    noise = np.asarray(lfilter([0.2], [1.0, -0.8], rng.standard_normal(levelled.size)))
    loudness = 10 ** ((voice.level_db - voice.noise_db) / 20) / max(float(noise.std()), 1e-9)
    return np.asarray(levelled + loudness * noise, dtype=np.float32)


def _store(root: Path, number: int, voice: Voice, samples: Samples) -> Utterance:
    name = f"synthetic_{number:05d}"
    return Utterance(
        path=write_audio(root / f"{name}.flac", samples, SAMPLE_RATE),
        utt_id=name,
        speaker=voice.request.voice,
        sex=voice.sex,
        seconds=round(samples.size / SAMPLE_RATE, 3),
        corpus="espeak-ng",
        role="source",
        licence="CC0-1.0",
        text=voice.request.text,
    )


def _claim(root: Path, recipe: dict[str, float]) -> bool:
    """Claim the folder; return whether it already contains exactly this corpus."""
    written = root / _RECIPE
    if root.is_dir() and any(root.iterdir()) and not written.is_file():
        raise CorpusError(f"{root}: is not empty and not a synthetic corpus; name another folder")
    root.mkdir(parents=True, exist_ok=True)
    table = root / METADATA
    if table.is_file() and json.loads(written.read_text(encoding="utf-8")) == recipe:
        return True
    table.unlink(missing_ok=True)
    for recording in root.glob("synthetic_*.flac"):
        recording.unlink()
    write_whole(written, json.dumps(recipe) + "\n")
    return False
