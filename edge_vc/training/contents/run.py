"""One session of distilling a content encoder: recordings, both encoders, training, weights."""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch

from edge_vc.audio.noise_folder import NOISE_FOLDERS, noise_notices
from edge_vc.command_line.notices import name_lines
from edge_vc.command_line.steps import Steps, stderr_console
from edge_vc.data.corpus import Corpus
from edge_vc.data.utterance import Utterance
from edge_vc.models.content.distilled import save_distilled
from edge_vc.settings.field import RecipeError
from edge_vc.training.contents.settings import ContentsSettings
from edge_vc.training.contents.speech import ContentsSpeech, EncodedRecording, encoded_recordings
from edge_vc.training.contents.trainer import ContentsTraining
from edge_vc.training.denormals import flushed_denormals
from edge_vc.training.schedule import Budget, TrainingSession
from edge_vc_runtime.files.writing import write_whole

STEPS = 2000
"""Budget if none is given."""
WEIGHTS = "contents.safetensors"
"""File that a run leaves in its folder."""
LONGEST_SECONDS = 60.0
"""Longer recordings are left out: the encoders would process them in parts."""


@dataclass(frozen=True)
class ContentsRun:
    """Arguments of `edge-vc train contents`."""

    corpus: Path
    """Folder of recordings of many speakers."""
    out: Path
    """Run folder; a run already in it is resumed."""
    noises: Path | None = None
    """Folder that contains ``noise`` and ``rir``."""
    steps: int | None = None
    minutes: float | None = None
    """Wall-clock budget of the whole run."""
    max_minutes: float | None = None
    """Wall-clock budget of this session; the next one resumes."""
    threads: int = 1
    settings: ContentsSettings = field(default_factory=ContentsSettings)

    @property
    def budget(self) -> Budget:
        """Steps or minutes; `STEPS` if neither is given."""
        neither = self.steps is None and self.minutes is None
        return Budget(STEPS if neither else self.steps, self.minutes)


@flushed_denormals()
def train_contents(args: ContentsRun) -> tuple[Path, dict[str, float]]:
    """Train one session; return the weights' path and the scores on held-out speakers.

    Raises `ValueError` with a one-line message for unusable input.
    """
    settings, budget = args.settings, args.budget
    torch.set_num_threads(args.threads)
    corpus = Corpus.open(args.corpus).shorter_than(LONGEST_SECONDS)
    if not len(corpus):
        raise RecipeError(f"{args.corpus}: every recording is over {LONGEST_SECONDS:g} s")
    learnt, kept = split_speakers(corpus, settings.held_out)
    args.out.mkdir(parents=True, exist_ok=True)
    console = stderr_console()
    with Steps(console, "recordings") as steps:
        beds = [args.noises / name for name in NOISE_FOLDERS] if args.noises else []
        for folder in beds:
            name_lines(noise_notices(folder), steps.say)
        heard = encoded_recordings(
            [*kept, *learnt],
            args.out / "heard",
            settings,
            args.noises,
            workers=args.threads,
            progress=steps.track,
        )
    settings = fitted(settings, heard[0])
    every = len(kept) + len(learnt)
    train = [found for place, found in enumerate(heard) if place % every >= len(kept)]
    training = ContentsTraining(
        settings, ContentsSpeech(train, settings), heard[: len(kept)], args.out
    )

    def save(finished: bool = False) -> None:
        """Write the current weights."""
        facts = {
            "settings": asdict(settings),
            "budget": asdict(budget),
            "corpus": corpus.content_hash(),
            "speakers": len(corpus.speakers),
            "speech_seconds": round(corpus.seconds, 1),
            "recorded_noises": args.noises is not None,
            "machine": platform.machine(),
            "steps": training.step,
            "finished": finished,
            "scores": training.scores,
        }
        timed = facts | {"minutes": round(training.watch.seconds / 60, 1)}
        write_whole(args.out / "run.json", json.dumps(timed, indent=1))
        save_distilled(training.average.network, args.out / WEIGHTS, {"run": json.dumps(facts)})

    finished = training.run(TrainingSession(budget, args.max_minutes), save)
    save(finished)
    state = "finished" if finished else "not finished: run the same command again"
    console.print(f"step {training.step}, {state}", markup=False, highlight=False)
    return args.out / WEIGHTS, training.scores


def fitted(settings: ContentsSettings, heard: EncodedRecording) -> ContentsSettings:
    """Return the settings with the network's width set to that of the targets."""
    return replace(settings, network=replace(settings.network, width=heard.target.shape[1]))


def split_speakers(corpus: Corpus, share: float) -> tuple[list[Utterance], list[Utterance]]:
    """Return the training recordings, and those of about ``share`` of the speakers.

    Speakers are chosen by the hash of their names; of a single one nothing is held out.
    """
    apart = {name for name in corpus.speakers if _place(name) < share}
    if apart == set(corpus.speakers):
        apart = set()
    learnt = [utterance for utterance in corpus if utterance.speaker not in apart]
    return learnt, [utterance for utterance in corpus if utterance.speaker in apart]


def _place(speaker: str) -> float:
    """Return a number within 0..1 that is determined by the name."""
    digest = hashlib.sha256(speaker.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "little") / 2**32
