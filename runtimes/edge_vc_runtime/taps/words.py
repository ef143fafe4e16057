"""The tap ``words``: subtitles of the speech."""

from __future__ import annotations

import numpy as np

from edge_vc_runtime.samples import Samples
from edge_vc_runtime.taps.kind import TapKind, TapOutput, TapSettings
from edge_vc_runtime.taps.recogniser import HeardWord, Recogniser
from edge_vc_runtime.taps.recognisers import installed_recogniser
from edge_vc_runtime.taps.subtitles import Cue
from edge_vc_runtime.taps.utterances import UtteranceDetector

_LONGEST_S = 6.0
"""Speech without a pause is cut after this time: a subtitle has to be readable."""


class WordsJob:
    """Writes each complete utterance as soon as it ends: the file is valid at any time."""

    def __init__(self, recogniser: Recogniser, sample_rate: int, output: TapOutput) -> None:
        self._recogniser = recogniser
        self._rate = sample_rate
        self._output = output
        self._detector = UtteranceDetector(sample_rate)
        self._rest = np.zeros(0, np.float32)
        self._next = 0
        self._start: float | None = None
        self._cues = 0

    def take(self, position: int, audio: Samples) -> None:
        """Take ``[T]``; a gap in the numbers ends the utterance."""
        if position != self._next:
            self._end()
            self._rest = self._rest[:0]
        self._next = position + audio.shape[0]
        line = np.concatenate([self._rest, audio])
        block = self._detector.block
        whole = line.shape[0] // block * block
        first = self._next - line.shape[0]
        for start in range(0, whole, block):
            self._block(first + start, line[start : start + block])
        self._rest = line[whole:]

    def finish(self) -> None:
        """Write the utterance in progress."""
        self._end()

    def _block(self, position: int, audio: Samples) -> None:
        if not self._detector.push(audio):
            self._end()
            return
        if self._start is None:
            before = self._detector.before
            self._start = max(position - len(before) * audio.shape[0], 0) / self._rate
            self._recogniser.begin()
            for earlier in before:
                self._recogniser.feed(earlier)
            before.clear()
        self._recogniser.feed(audio)
        if position / self._rate - self._start >= _LONGEST_S:
            self._end()

    def _end(self) -> None:
        if self._start is None:
            return
        start, self._start = self._start, None
        words = self._recogniser.end()
        if words:
            self._write(start, words)

    def _write(self, start: float, words: list[HeardWord]) -> None:
        text = " ".join(word.text for word in words)
        cue = Cue(start + words[0].start, start + words[-1].end, text)
        self._cues += 1
        self._output.write(cue.srt(self._cues))
        self._output.say(f'{cue.start:7.1f} s  words  "{text}"')


def _check(settings: TapSettings) -> None:
    installed_recogniser(settings.recogniser)


def _open(settings: TapSettings, output: TapOutput) -> WordsJob:
    recogniser = installed_recogniser(settings.recogniser).open(settings.sample_rate)
    return WordsJob(recogniser, settings.sample_rate, output)


WORDS = TapKind("words", "subtitles (SRT)", _check, _open)
