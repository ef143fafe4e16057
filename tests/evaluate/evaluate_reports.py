"""Saved evaluations made of numbers, without measuring anything."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.audio_folder import AudioFolder
from edge_vc.evaluate.metrics.metric import Counts, Value
from edge_vc.evaluate.metrics.registry import intrusive_metrics, system_metrics
from edge_vc.evaluate.noise import CLEAN
from edge_vc.evaluate.report.report import EvaluationReport, Sentence, SentenceScore, SystemScore
from edge_vc.evaluate.report.summary import Summary

RATE = 16000
PEOPLE = (("ann", "F"), ("bob", "M"))
NAMES = ("source", "teacher", "student-int8")


def sentence(number: int, text: str = "Rain fell.") -> Sentence:
    speaker, sex = PEOPLE[number % len(PEOPLE)]
    return Sentence(f"u{number}", speaker, sex, text, 0.6, "t0", text)


def score(said: Sentence, level: float) -> SentenceScore:
    words = Counts(round(2 * (1 - level)), 2)
    scores: dict[str, Value] = {metric.key: level for metric in system_metrics()}
    scores |= {"word_error_rate": words, "word_error_ratio": words}
    scores |= {"character_error_rate": Counts(3, 9), "character_error_ratio": Counts(3, 9)}
    scores |= {"dnsmos": 2 + level, "dnsmos_signal": 2.5 + level, "dnsmos_background": 3 + level}
    scores |= {"f0_hz": 150.0, "f0_shift": 1.0, "f0_error": 1.0, "mcd_db": 6 - level}
    return SentenceScore(said.utt_id, said.speaker, said.sex, scores, "rain")


def made_report(
    names: tuple[str, ...] = NAMES, text: str = "Rain fell.", target: str = "kate"
) -> EvaluationReport:
    """Return four sentences by two speakers, clean and in noise, scored by every metric."""
    summary = Summary(system_metrics(), intrusive_metrics())
    sentences = tuple(sentence(number, text) for number in range(4))

    def scores(level: float) -> list[SentenceScore]:
        return [score(said, level + 0.01 * place) for place, said in enumerate(sentences)]

    def table(drop: float) -> dict[str, SystemScore]:
        origin = scores(0.5 - drop)
        made = {
            name: summary.of_system(name, scores(0.5 - drop + 0.1 * place), origin)
            for place, name in enumerate(names)
        }
        return {n: summary.with_deltas(one, made[names[1]], origin) for n, one in made.items()}

    clean, noisy = table(0.0), table(0.2)
    origin, quiet = noisy[names[0]].sentences, clean[names[0]].sentences
    noisy = {n: summary.since_clean(one, origin, clean[n], quiet) for n, one in noisy.items()}
    close = {m.key: 0.5 for m in summary.intrusive} | {"pesq": 3.0, "snr_db": 20.0}
    pairs = [SentenceScore(s.utt_id, s.speaker, s.sex, dict(close)) for s in sentences]
    return EvaluationReport(
        corpus_hash="0" * 64,
        target=target,
        target_f0_hz=150.0,
        seconds=2.4,
        centroid_sentences=2,
        unknown_words=(),
        metrics=tuple(metric.info for metric in summary.metrics),
        intrusive_metrics=tuple(metric.info for metric in summary.intrusive),
        baseline=names[1],
        sentence_count=4,
        sentences=sentences,
        topline=summary.of_system("target", scores(0.9)),
        systems=clean,
        noisy={"babble 10 dB": noisy},
        comparisons=(summary.of_pair(names[2], names[1], "clean", pairs),),
        audio="audio",
    )


def keep_audio(report: EvaluationReport, folder: Path) -> Path:
    """Fill a folder as `edge-vc evaluate --audio` does, with gliding tones."""
    kept = AudioFolder(folder)
    for said in report.sentences:
        blank = Utterance(folder, said.utt_id, said.speaker, said.sex, 0.6, "", "", "", said.text)
        versions = {name: glide(200.0 + 40 * n) for n, name in enumerate(report.systems)}
        kept.save(CLEAN, blank, versions)
        target = Utterance(folder, said.target_utt_id, report.target, "F", 0.6, "", "", "", "")
        kept.save(CLEAN, target, {"target": glide(150.0)})
    return folder


def glide(hz: float) -> Samples:
    """Return 0.6 s of a rising voice-like tone ``[T]``."""
    time = np.arange(round(0.6 * RATE)) / RATE
    phase = 2 * np.pi * (hz * time + 40 * time**2)
    tone = sum(np.sin(n * phase) / n for n in range(1, 8))
    return (0.2 * np.asarray(tone)).astype(np.float32)
