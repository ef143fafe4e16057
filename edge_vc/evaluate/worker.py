"""One task of an evaluation: one recording, converted by every system and scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edge_vc.audio.io import Samples
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.audio_folder import AudioFolder
from edge_vc.evaluate.metrics.metric import AnyMetric
from edge_vc.evaluate.metrics.recording import Target
from edge_vc.evaluate.metrics.scorer import Scorer
from edge_vc.evaluate.noise import Condition, NoiseMaker
from edge_vc.evaluate.report.report import SentenceScore
from edge_vc.evaluate.selection import EvaluationSet
from edge_vc.evaluate.systems.pairings import Pairing
from edge_vc.evaluate.systems.systems import RATE, Conversion, ConversionSystem, converted


@dataclass(frozen=True)
class EvaluationPlan:
    """Everything that each process needs; picklable if its systems and metrics are."""

    chosen: EvaluationSet
    target: Target
    metrics: tuple[AnyMetric, ...]
    systems: tuple[ConversionSystem, ...]
    pairings: tuple[Pairing, ...]
    audio: Path | None = None
    """Folder to keep the converted audio in."""


@dataclass(frozen=True)
class EvaluationTask:
    """One recording to convert in one condition; without a condition, to score unconverted."""

    utterance: Utterance
    condition: Condition | None


@dataclass(frozen=True)
class EvaluationOutcome:
    """Result of a task."""

    scores: dict[str, SentenceScore]
    """By system; the target's own recording is ``target``."""
    comparisons: dict[Pairing, SentenceScore] = field(default_factory=dict)


class SystemRunner:
    """The systems and the scorer, opened in this process."""

    def __init__(self, plan: EvaluationPlan) -> None:
        self._plan = plan
        self.scorer = Scorer(plan.chosen, plan.target, plan.metrics)
        self._open: dict[str, Conversion] = {c.name: c.open() for c in plan.systems}
        self._noise = NoiseMaker(plan.chosen.voices, RATE)
        self._audio = AudioFolder(plan.audio) if plan.audio else None

    def run(self, task: EvaluationTask) -> EvaluationOutcome:
        """Convert and score; the same task always gives the same outcome."""
        utterance = task.utterance
        source = self.scorer.recording(utterance, utterance.read(RATE))
        if task.condition is None:
            return EvaluationOutcome({"target": self.scorer.score(source)})
        versions = self._convert(utterance, task.condition, source.samples)
        if self._audio:
            self._audio.save(task.condition, utterance, versions)
        recordings = {
            name: self.scorer.recording(utterance, samples, source)
            for name, samples in versions.items()
        }
        return EvaluationOutcome(
            {name: self.scorer.score(recording) for name, recording in recordings.items()},
            {
                pair: self.scorer.compare(recordings[pair.against], recordings[pair.name])
                for pair in self._plan.pairings
                if pair.name in recordings and pair.against in recordings
            },
        )

    def _convert(
        self, utterance: Utterance, condition: Condition, samples: Samples
    ) -> dict[str, Samples]:
        noisy = self._noise.apply(condition, utterance, samples)
        able = [c.name for c in present(self._plan.systems, condition)]
        return {name: converted(name, self._open[name], utterance, noisy) for name in able}


def present(systems: Sequence[ConversionSystem], condition: Condition) -> list[ConversionSystem]:
    """Return the systems of a condition: folders of converted files exist for clean input only."""
    return [c for c in systems if c.folder is None or not condition.kind]
