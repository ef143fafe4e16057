"""Selection of the sentences to convert and of the target's reference recordings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge_vc.data.corpus import Corpus
from edge_vc.data.corpus_table import METADATA
from edge_vc.data.transcript import words_of
from edge_vc.data.utterance import Utterance
from edge_vc.settings.optional import EvaluationError


@dataclass(frozen=True)
class ParallelRecordings:
    """The target's recordings, looked up by their words."""

    recordings: tuple[Utterance, ...]

    def to(self, utterance: Utterance) -> Utterance | None:
        """Return the target's first recording of the same words, other than it, or None."""
        said = _said(utterance)
        same = (r for r in self.recordings if said and _said(r) == said)
        return next((one for one in same if one.path != utterance.path), None)


@dataclass(frozen=True)
class EvaluationSet:
    """A fixed selection from an evaluation corpus; nothing in it may be used for training."""

    sources: tuple[Utterance, ...]
    """Role ``unseen-source``: the input of the systems."""
    centroid: tuple[Utterance, ...]
    """Every second ``target-reference``: the voice that results are compared with."""
    topline: tuple[Utterance, ...]
    """The remaining references and all ``target-retake``: scored as the topline."""
    parallel: ParallelRecordings
    """All references and retakes."""
    voices: tuple[Utterance, ...]
    """Every utterance of the source speakers, selected or not, to mix babble from."""
    sentences: tuple[str, ...]
    """Every text of these roles, selected or not, so that a smaller selection is not easier to
    recognise; and further text for the recogniser's vocabulary."""


def select_sentences(
    corpus: Corpus, per_speaker: int | None = None, more_text: Iterable[str] = ()
) -> EvaluationSet:
    """Select by role and name alone, so that the same corpus always gives the same set.

    With ``per_speaker``, a speaker with more sentences contributes that many, evenly spaced in
    name order; without it, all of them.
    """
    sources = corpus.select(role="unseen-source")
    references = _by_name(corpus.select(role="target-reference"))
    if not len(sources) or len(references) < 2:
        raise EvaluationError(
            f"{corpus.root}: has {len(sources)} utterances of role unseen-source and "
            f"{len(references)} of target-reference; an evaluation needs 1 and 2 or more; "
            f"{_way(corpus)}"
        )
    if per_speaker is not None and per_speaker < 1:
        raise EvaluationError(f"{per_speaker} sentences per speaker; give 1 or more")
    chosen = [
        utt
        for speaker in sources.speakers
        for utt in _spread(_by_name(sources.select(speaker=speaker)), per_speaker)
    ]
    retakes = _by_name(corpus.select(role="target-retake"))
    texts = {utt.text for utt in (*sources, *references, *retakes) if utt.text} | {*more_text}
    return EvaluationSet(
        tuple(chosen),
        references[::2],
        references[1::2] + retakes,
        ParallelRecordings(references + retakes),
        _by_name(sources),
        tuple(sorted(texts)),
    )


def _way(corpus: Corpus) -> str:
    """Return a hint on how to get an evaluation corpus."""
    root = corpus.root
    if any(item.reason == "too long" for item in corpus.left_out):
        return (
            f"long recordings were left out: edge-vc prepare {root} -o DIR cuts them into "
            "sentences and keeps their roles; give --corpus DIR"
        )
    if (root / "evaluation" / METADATA).is_file():
        return f"give --corpus {root / 'evaluation'}"
    return (
        "make one with edge-vc prepare RECORDINGS -o DIR --target NAME --evaluation and give "
        "DIR/evaluation, or put recordings into folders unseen-source/NAME and target-reference"
    )


def _said(utterance: Utterance) -> list[str]:
    """Return the words without case and punctuation; other scripts split at spaces."""
    return words_of(utterance.text) or utterance.text.split()


def _by_name(corpus: Corpus) -> tuple[Utterance, ...]:
    return tuple(sorted(corpus, key=lambda utt: (utt.utt_id, utt.path)))


def _spread(utterances: tuple[Utterance, ...], count: int | None) -> tuple[Utterance, ...]:
    if count is None or count >= len(utterances):
        return utterances
    return tuple(utterances[index * len(utterances) // count] for index in range(count))
