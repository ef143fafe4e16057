"""Train the default teacher: `python -m edge_vc.training.teacher --corpus DIR --out DIR`."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import Progress, track
from torch import nn

from edge_vc.data.corpus import Corpus
from edge_vc.data.pairs import PairSet, cached_pairs
from edge_vc.models.teacher import TeacherConfig, TeacherNetwork
from edge_vc.teachers.default import DefaultTeacher, one_voice
from edge_vc.training.adversary import Adversary
from edge_vc.training.checkpoint import Checkpoint
from edge_vc.training.losses import SpectralLoss
from edge_vc.training.schedule import Budget, MovingAverage, Stopwatch, learning_rate
from edge_vc.training.teacher_data import TeacherBatch, TeacherBatches

HELD_OUT = 16
"""Target sentences kept for validation."""


@dataclass(frozen=True)
class TeacherSettings:
    """How the teacher is trained; what a run's log starts with."""

    budget: Budget
    batch: int = 12
    frames: int = 128
    peak_rate: float = 1.2e-3
    own_share: float = 0.6
    """Share of the crops from the voice that ships; the rest teach what speech is."""
    adversarial_from: float = 0.7
    """Share of the budget after which the discriminators join; 1 or more: never."""
    adversarial_weight: float = 0.3
    matching_weight: float = 0.6
    seed: int = 0
    bfloat16: bool = True


class TeacherTraining:
    """One run: networks, optimisers, log and checkpoint in ``folder``."""

    def __init__(
        self,
        settings: TeacherSettings,
        config: TeacherConfig,
        pairs: list[PairSet],
        voices: list[str],
        folder: Path,
    ) -> None:
        self.settings, self.folder = settings, folder
        torch.manual_seed(settings.seed)
        self.network = TeacherNetwork(config)
        self.average = MovingAverage(self.network)
        self.loss = SpectralLoss()
        self.optimiser = _adam(self.network, settings.peak_rate)
        self.adversary = Adversary(settings.peak_rate / 2, bfloat16=settings.bfloat16)
        self.checkpoint = Checkpoint(
            folder,
            {
                "network": self.network,
                "average": self.average,
                "optimiser": self.optimiser,
                "adversary": self.adversary,
            },
        )
        self.held = [p for p in pairs if p.speaker == voices[0]][:HELD_OUT]
        held = {id(p) for p in self.held}
        rest = [p for p in pairs if id(p) not in held]
        self.batches = TeacherBatches(rest, voices, settings.frames, settings.own_share)
        self.step = 0
        self.watch = Stopwatch()

    def run(self) -> None:
        """Train until the budget is used, resuming from the checkpoint if there is one."""
        self.step, seconds = self.checkpoint.restore()
        self.watch = Stopwatch(seconds)
        with Progress() as bar:
            task = bar.add_task("teacher", total=1.0)
            progress = self._progress()
            while progress < 1:
                rng = np.random.default_rng([self.settings.seed, self.step])
                batch = self.batches.draw(self.settings.batch, rng)
                figures = self._train_step(batch, progress)
                self.step += 1
                progress = self._progress()
                if self.step % 10 == 0 or progress >= 1:
                    text = f"teacher, step {self.step}, loss {figures['loss']:.3f}"
                    bar.update(task, completed=min(progress, 1.0), description=text)
                if self.step % 200 == 0 or progress >= 1:
                    self._log(figures)
                if self.step % 500 == 0 or progress >= 1:
                    self.checkpoint.save(self.step, self.watch.seconds)

    def _progress(self) -> float:
        return self.settings.budget.progress(self.step, self.watch.seconds)

    def _train_step(self, batch: TeacherBatch, progress: float) -> dict[str, float]:
        _set_rate(self.optimiser, learning_rate(progress, self.settings.peak_rate))
        with torch.autocast("cpu", torch.bfloat16, enabled=self.settings.bfloat16):
            audio = self.network(batch.log_mel, batch.f0, batch.mean_log_f0, batch.voice).audio
        spectral = self.loss(audio, batch.audio)
        total, figures = spectral, {"spectral": float(spectral.detach())}
        if progress >= self.settings.adversarial_from:
            fooled, matched = self.adversary.challenge(audio, batch.audio, figures)
            total = total + self.settings.adversarial_weight * fooled
            total = total + self.settings.matching_weight * matched
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.average.update(self.network)
        return figures | {"loss": float(total.detach()), "norm": float(norm)}

    @torch.no_grad()
    def validate(self) -> float:
        """Spectral loss over the first perturbation of the held-out target sentences."""
        losses = []
        for pair in self.held:
            frames = len(pair.f0) // 2 * 2
            f0 = torch.from_numpy(pair.f0[None, :frames])
            voiced = f0 > 0
            mean = f0[voiced].log().mean()[None]
            log_mel = torch.from_numpy(pair.log_mels[1:2, :, :frames].astype(np.float32))
            torch.manual_seed(0)
            out = self.average.network(log_mel, f0, mean, torch.zeros(1, dtype=torch.long))
            truth = torch.from_numpy(pair.audio[: out.audio.shape[1]].astype(np.float32) / 32767)
            losses.append(float(self.loss(out.audio, truth[None])))
        return float(np.mean(losses))

    def _log(self, figures: dict[str, float]) -> None:
        if self.step % 1000 == 0 or self._progress() >= 1:
            figures = figures | {"validation": self.validate()}
        self.checkpoint.log(self.step, self.watch.seconds, figures)


def _adam(network: nn.Module, rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(
        network.parameters(), rate, betas=(0.8, 0.98), weight_decay=0.01, foreach=True
    )


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def data_hash(pairs: list[PairSet]) -> str:
    """SHA-256 over all targets and inputs, in order."""
    digest = hashlib.sha256()
    for pair in pairs:
        for array in (pair.audio, pair.f0, pair.log_mels):
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def gather(corpus: Path, cache: Path, target: str) -> tuple[list[PairSet], list[str]]:
    """Make the pairs of the target and of all sources; the target's voice comes first."""

    def bar(done: Any, total: int) -> Iterator[Path]:
        return iter(track(done, "perturb", total))

    pairs: list[PairSet] = []
    for role, variants in (("target", 3), ("source", 2)):
        chosen = Corpus.open(corpus).select(role)
        pairs += cached_pairs(list(chosen), cache, variants=variants, progress=bar)
    voices = [target, *sorted({p.speaker for p in pairs} - {target})]
    return pairs, voices


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with metadata.csv")
    parser.add_argument("--out", type=Path, required=True, help="run folder; resumes")
    parser.add_argument("--target", default="kathleen", help="speaker to convert into")
    parser.add_argument("--minutes", type=float, help="wall-clock budget")
    parser.add_argument("--steps", type=int, help="or a number of steps")
    parser.add_argument("--batch", type=int, default=12, help="crops a step")
    parser.add_argument("--adversarial-from", type=float, default=0.7)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="CPU threads")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    pairs, voices = gather(args.corpus, args.out / "pairs", args.target)
    settings = TeacherSettings(
        Budget(args.steps, args.minutes),
        batch=args.batch,
        adversarial_from=args.adversarial_from,
        seed=args.seed,
    )
    own = np.concatenate([p.f0 for p in pairs if p.speaker == args.target])
    config = replace(
        TeacherConfig(),
        speakers=len(voices),
        target_log_f0=float(np.log(own[own > 0]).mean()),
    )
    facts: dict[str, Any] = {
        "settings": asdict(settings),
        "config": config.to_dict(),
        "data_sha256": data_hash(pairs),
        "voices": voices,
    }
    (args.out / "run.json").write_text(json.dumps(facts, indent=1))
    training = TeacherTraining(settings, config, pairs, voices, args.out)
    training.run()
    facts = facts | {"steps": training.step, "voices": len(voices)}
    teacher = DefaultTeacher(one_voice(training.average.network))
    teacher.save(args.out / "teacher.safetensors", {"run": json.dumps(facts)})


if __name__ == "__main__":
    main()
