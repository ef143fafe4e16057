"""Convert the same unseen sentences with every system, and score the results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_vc.data.corpus import Corpus
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.audio_folder import AudioFolder
from edge_vc.evaluate.metrics.asr import unknown_words
from edge_vc.evaluate.metrics.metric import AnyMetric
from edge_vc.evaluate.metrics.registry import intrusive_metrics, system_metrics
from edge_vc.evaluate.metrics.scorer import measure_target
from edge_vc.evaluate.noise import CLEAN, Condition, conditions
from edge_vc.evaluate.pool import run_tasks
from edge_vc.evaluate.report.report import Comparison, EvaluationReport, Sentence, SystemScore
from edge_vc.evaluate.report.summary import Summary
from edge_vc.evaluate.selection import EvaluationSet, select_sentences
from edge_vc.evaluate.systems.converted_folder import ConvertedFiles
from edge_vc.evaluate.systems.pairings import Pairing, baseline, pairings
from edge_vc.evaluate.systems.systems import ConversionSystem, unique_systems
from edge_vc.evaluate.worker import EvaluationOutcome, EvaluationPlan, EvaluationTask, present
from edge_vc.workers.progress import Progress, no_progress

MOST_SECONDS = 120.0
"""Longer recordings are left out: all systems' outputs are in memory at once, scored whole."""


@dataclass(frozen=True)
class EvaluationOptions:
    """Evaluation options; results depend on all of them except ``audio`` and ``jobs``."""

    per_speaker: int | None = None
    """Sentences per source speaker; all when None."""
    noise_db: float | None = None
    """SNR of two further conditions, babble and speech-shaped noise; clean only when None."""
    against: tuple[str, ...] = ()
    """Systems to compare all others with; see `edge_vc.evaluate.systems.pairings`."""
    audio: Path | None = None
    """Folder to keep the converted audio in."""
    jobs: int = 1
    """Number of processes."""
    more_text: tuple[str, ...] = ()
    """Sentences besides the corpus's own in the recogniser's vocabulary: the more words there are
    to confuse, the sooner a degraded word counts as an error."""


def evaluate(
    systems: Iterable[ConversionSystem],
    corpus: str | Path | Corpus,
    options: EvaluationOptions | None = None,
    progress: Progress = no_progress,
) -> EvaluationReport:
    """Score every system on the corpus's unseen speakers, and the target's own recordings.

    The source recordings are scored too, since error rates are relative to theirs. The report is
    the same for any number of processes. Raises `EvaluationError` for systems whose audio cannot
    be scored.
    """
    options = options or EvaluationOptions()
    everybody = unique_systems(systems)
    corpus = corpus if isinstance(corpus, Corpus) else Corpus.open(corpus)
    corpus = corpus.shorter_than(MOST_SECONDS)
    chosen = select_sentences(corpus, options.per_speaker, options.more_text)
    pairs = pairings(everybody, options.against)
    first = baseline(everybody, options.against)
    tried = conditions(options.noise_db)
    _check(everybody, chosen, options)
    sentences = tuple(_sentence(chosen, index) for index in range(len(chosen.sources)))
    if options.audio:
        _save_target(chosen, sentences, options.audio)
    summary = Summary(system_metrics(), intrusive_metrics())
    metrics: tuple[AnyMetric, ...] = (*summary.metrics, *summary.intrusive)
    plan = EvaluationPlan(chosen, measure_target(chosen), metrics, everybody, pairs, options.audio)
    tasks = [EvaluationTask(utterance, None) for utterance in chosen.topline]
    tasks += [
        EvaluationTask(utterance, condition) for condition in tried for utterance in chosen.sources
    ]
    outcomes = run_tasks(plan, tasks, options.jobs, progress)
    own, rest = outcomes[: len(chosen.topline)], outcomes[len(chosen.topline) :]
    by_condition = {
        condition: rest[n * len(sentences) : (n + 1) * len(sentences)]
        for n, condition in enumerate(tried)
    }
    tables = _tables(summary, everybody, by_condition, first)
    used = Corpus(corpus.root, chosen.sources + chosen.centroid + chosen.topline)
    return EvaluationReport(
        corpus_hash=used.content_hash(),
        target=chosen.centroid[0].speaker,
        target_f0_hz=round(plan.target.f0_hz, 3),
        seconds=round(sum(utt.seconds for utt in chosen.sources), 3),
        centroid_sentences=len(chosen.centroid),
        unknown_words=unknown_words(chosen.sentences),
        metrics=tuple(metric.info for metric in summary.metrics),
        intrusive_metrics=tuple(metric.info for metric in summary.intrusive),
        baseline=first,
        sentence_count=len(sentences),
        sentences=sentences,
        topline=summary.of_system("target", [outcome.scores["target"] for outcome in own]),
        systems=tables.pop(CLEAN.name),
        noisy=tables,
        comparisons=tuple(_comparisons(summary, pairs, by_condition)),
        audio=str(options.audio) if options.audio else None,
    )


def _check(
    systems: Sequence[ConversionSystem], chosen: EvaluationSet, options: EvaluationOptions
) -> None:
    """Raise `EvaluationError` for unusable files and folders before the long work starts."""
    for system in systems:
        if system.folder is not None:
            ConvertedFiles(system.folder).check_complete(chosen.sources)
    if options.audio:
        AudioFolder(options.audio).check(system.name for system in systems)


def _sentence(chosen: EvaluationSet, index: int) -> Sentence:
    utterance = chosen.sources[index]
    beside = _parallel(chosen, index)
    return Sentence(
        utterance.utt_id,
        utterance.speaker,
        utterance.sex,
        utterance.text,
        utterance.seconds,
        beside.utt_id,
        beside.text,
    )


def _parallel(chosen: EvaluationSet, index: int) -> Utterance:
    """Return the target's recording of the same words, or another one if there is none."""
    own = chosen.parallel.to(chosen.sources[index])
    return own or chosen.centroid[index % len(chosen.centroid)]


def _save_target(chosen: EvaluationSet, sentences: Sequence[Sentence], folder: Path) -> None:
    for index in range(len(sentences)):
        AudioFolder(folder).save_target(_parallel(chosen, index))


def _tables(
    summary: Summary,
    systems: Sequence[ConversionSystem],
    by_condition: dict[Condition, list[EvaluationOutcome]],
    first: str,
) -> dict[str, dict[str, SystemScore]]:
    """Summarise every system in every condition, keyed by condition and name."""
    source = systems[0].name
    tables: dict[str, dict[str, SystemScore]] = {}
    for condition, outcomes in by_condition.items():
        origin = [outcome.scores[source] for outcome in outcomes]
        scores = {
            s.name: summary.of_system(s.name, [o.scores[s.name] for o in outcomes], origin)
            for s in present(systems, condition)
        }
        if first in scores:
            best = scores[first]
            scores = {n: summary.with_deltas(s, best, origin) for n, s in scores.items()}
        if condition.kind:
            clean = tables[CLEAN.name]
            quiet = clean[source].sentences
            scores = {n: summary.since_clean(s, origin, clean[n], quiet) for n, s in scores.items()}
        tables[condition.name] = scores
    return tables


def _comparisons(
    summary: Summary,
    pairs: Sequence[Pairing],
    by_condition: dict[Condition, list[EvaluationOutcome]],
) -> Iterable[Comparison]:
    for condition, outcomes in by_condition.items():
        for pair in pairs:
            found = [o.comparisons[pair] for o in outcomes if pair in o.comparisons]
            if found:
                yield summary.of_pair(pair.name, pair.against, condition.name, found)


def with_audio_beside(report: EvaluationReport, saved: Path) -> EvaluationReport:
    """Return the report with the path of its audio folder relative to the report.

    A folder elsewhere is not recorded: a page never reads outside its report's folder unless told
    to. Nor is one whose name a report must not contain; pass it as `edge-vc report --audio` then.
    """
    if report.audio is None:
        return report
    folder, home = Path(report.audio).resolve(), saved.resolve().parent
    name = folder.relative_to(home).as_posix() if folder.is_relative_to(home) else ""
    return replace(report, audio=name if name.isprintable() and name else None)
