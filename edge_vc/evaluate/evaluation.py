"""Contenders convert the same unseen sentences and are scored alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from edge_vc.audio.io import Samples
from edge_vc.data.corpus import Corpus, Utterance
from edge_vc.evaluate.contenders import RATE, Contender, converted
from edge_vc.evaluate.intelligibility import Recognizer
from edge_vc.evaluate.requirements import EvaluationError
from edge_vc.evaluate.scores import ContenderScore, EvaluationReport, SentenceScore
from edge_vc.evaluate.selection import EvaluationSet, select_sentences
from edge_vc.evaluate.similarity import Embedding, SpeakerEncoder, similarity

Progress = Callable[[int, int], None]
"""Told the sentences scored and their total."""


class Judge:
    """Scores recordings against one target voice; fits nothing, remembers nothing."""

    def __init__(self, chosen: EvaluationSet) -> None:
        self._encoder = SpeakerEncoder()
        references = (utterance.read(RATE) for utterance in chosen.centroid)
        self._centroid: Embedding = self._encoder.centroid(references, RATE)
        self._recognizer = Recognizer(chosen.sentences) if chosen.sentences else None

    @property
    def unknown_words(self) -> tuple[str, ...]:
        """Words of the sentences that the recogniser cannot know, sorted."""
        return tuple(sorted(self._recognizer.unknown)) if self._recognizer else ()

    def score(self, utterance: Utterance, samples: Samples) -> SentenceScore:
        """Score one recording ``[T]`` at `RATE` of what ``utterance`` says."""
        hearing = None
        if self._recognizer and utterance.text:
            hearing = self._recognizer.listen(samples, RATE, utterance.text)
        closeness = similarity(self._encoder.embed(samples, RATE), self._centroid)
        return SentenceScore(utterance.utt_id, utterance.speaker, closeness, hearing)


def evaluate(
    contenders: Mapping[str, Contender],
    corpus: str | Path | Corpus,
    per_speaker: int | None = None,
    progress: Progress | None = None,
) -> EvaluationReport:
    """Score every contender on the corpus's unseen speakers, and the target's own recordings.

    The sentences are those of `select_sentences`. Similarity is the mean cosine to the
    target's centroid; error rates are over all words and characters. The same input gives the
    same report. Raises `EvaluationError` for contenders whose audio cannot be scored.
    """
    if not contenders:
        raise EvaluationError("no contenders; give at least one converter or folder")
    corpus = corpus if isinstance(corpus, Corpus) else Corpus.open(corpus)
    chosen = select_sentences(corpus, per_speaker)
    judge = Judge(chosen)
    total = len(chosen.ceiling) + len(contenders) * len(chosen.sources)
    count = _Counter(progress, total)
    ceiling = count(judge.score(utt, utt.read(RATE)) for utt in chosen.ceiling)
    scores = {
        name: ContenderScore.of(name, count(_converted_scores(judge, contender, chosen.sources)))
        for name, contender in contenders.items()
    }
    everything = Corpus(corpus.root, chosen.sources + chosen.centroid + chosen.ceiling)
    return EvaluationReport(
        corpus_hash=everything.content_hash(),
        target=chosen.centroid[0].speaker,
        seconds=sum(utt.seconds for utt in chosen.sources),
        centroid_sentences=len(chosen.centroid),
        unknown_words=judge.unknown_words,
        ceiling=ContenderScore.of("target", ceiling),
        contenders=scores,
    )


def _converted_scores(
    judge: Judge, contender: Contender, sources: Iterable[Utterance]
) -> Iterator[SentenceScore]:
    for utterance in sources:
        yield judge.score(utterance, converted(contender, utterance, utterance.read(RATE)))


class _Counter:
    """Passes scores through and reports how many there were."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def __call__(self, scores: Iterable[SentenceScore]) -> list[SentenceScore]:
        passed = []
        for score in scores:
            passed.append(score)
            self._done += 1
            if self._progress:
                self._progress(self._done, self._total)
        return passed
