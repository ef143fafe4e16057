"""Selection of the sentences to play: by speaker and name alone, never by their scores."""

from __future__ import annotations

from collections.abc import Sequence

from edge_vc.evaluate.report.report import Sentence

LONGEST_SECONDS = 9.0
"""Longer sentences come last, since short ones are easier to compare."""


def chosen_sentences(sentences: Sequence[Sentence], count: int) -> list[int]:
    """Return the indices of ``count`` sentences, taking the speakers in turn.

    For each speaker, sentences also read by the target come first, then short ones; women and men
    alternate.
    """
    speakers = _in_turn(sentences)
    queues = {name: _by_merit(sentences, name) for name in speakers}
    rounds = max((len(queue) for queue in queues.values()), default=0)
    order = [
        queues[name][turn]
        for turn in range(rounds)
        for name in speakers
        if turn < len(queues[name])
    ]
    return order[:count]


def _in_turn(sentences: Sequence[Sentence]) -> list[str]:
    """Return the speakers, alternating between the sexes, sorted by name within each."""
    sex_of = {sentence.speaker: sentence.sex for sentence in sentences}
    groups = [
        sorted(name for name, sex in sex_of.items() if sex == group)
        for group in sorted(set(sex_of.values()))
    ]
    longest = max(map(len, groups), default=0)
    return [group[turn] for turn in range(longest) for group in groups if turn < len(group)]


def _by_merit(sentences: Sequence[Sentence], speaker: str) -> list[int]:
    places = [place for place, one in enumerate(sentences) if one.speaker == speaker]
    return sorted(places, key=lambda place: _merit(sentences[place]))


def _merit(sentence: Sentence) -> tuple[bool, bool, str]:
    read_too = sentence.text == sentence.target_text
    return (not read_too, sentence.seconds > LONGEST_SECONDS, sentence.utt_id)
