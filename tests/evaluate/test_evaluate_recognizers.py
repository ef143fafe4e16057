"""Recognisers from optional packages: Whisper's words, hama's phones, lost phones."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import numpy as np
import pytest
from evaluate_reports import made_report

from edge_vc.data.corpus import Corpus
from edge_vc.data.spelling import number_words, spelled_out
from edge_vc.data.transcript import aligned
from edge_vc.evaluate.metrics import metric as metric_module
from edge_vc.evaluate.metrics import registry
from edge_vc.evaluate.metrics.metric import Counts
from edge_vc.evaluate.metrics.phones import PHONE_ERROR_RATE, PhoneScore
from edge_vc.evaluate.metrics.scorer import Scorer, measure_target
from edge_vc.evaluate.metrics.whisper_asr import WER_WHISPER, word_errors
from edge_vc.evaluate.report.confusions import phone_counts, worst_phones
from edge_vc.evaluate.report.page.page import PageOptions, page_of
from edge_vc.evaluate.report.reader import read_evaluation
from edge_vc.evaluate.report.report import EvaluationReport
from edge_vc.evaluate.report.tables import all_tables, phone_table
from edge_vc.evaluate.selection import select_sentences
from edge_vc.settings.optional import EvaluationError


@pytest.fixture
def scorer(evaluation_corpus: Corpus) -> Scorer:
    missing = [m for m in (WER_WHISPER, PHONE_ERROR_RATE) if m.missing]
    if missing:
        pytest.skip(f"recognisers are not installed: {missing[0].missing}")
    chosen = select_sentences(evaluation_corpus, 1)
    return Scorer(chosen, measure_target(chosen), (WER_WHISPER, PHONE_ERROR_RATE))


def with_phones(report: EvaluationReport, phones: str) -> EvaluationReport:
    systems = {
        name: replace(
            score, sentences=tuple(replace(one, phones=phones) for one in score.sentences)
        )
        for name, score in report.systems.items()
    }
    return replace(report, systems=systems)


def test_both_recognizers_hear_speech_and_noise_is_worse(
    scorer: Scorer, evaluation_corpus: Corpus
) -> None:
    source = next(u for u in evaluation_corpus if u.role == "unseen-source")
    samples = source.read(16_000)
    noise = np.random.default_rng(0).normal(0, 0.2, samples.size).astype(np.float32)
    clean = scorer.score(scorer.recording(source, samples))
    noisy = scorer.score(scorer.recording(source, samples + noise))
    for key in ("wer_whisper", "phone_error_rate"):
        good, bad = clean.scores[key], noisy.scores[key]
        assert isinstance(good, Counts)
        assert isinstance(bad, Counts)
        assert good.total == bad.total
        assert good.errors < bad.errors <= bad.total
    assert clean.phones is not None
    assert clean.phones.startswith("ð>")


def test_words_are_compared_as_they_are_spoken() -> None:
    assert spelled_out("Mr. Smith & Dr Jones") == "mister Smith and doctor Jones"
    assert spelled_out("the 21st of 3,000 in 1905") == (
        "the twenty first of three thousand in nineteen five"
    )
    assert " ".join(number_words(312_040)) == "three hundred twelve thousand forty"
    assert spelled_out("1234567") == "one two three four five six seven"
    assert word_errors("Twenty men, said Mr. Hall.", "20 men said Mister Hall") == Counts(0, 5)
    assert word_errors("Rain fell.", "rain " * 50) == Counts(2, 2)


def test_tokens_are_aligned_with_the_least_edits() -> None:
    assert aligned("abc", "abc") == [("a", "a"), ("b", "b"), ("c", "c")]
    assert aligned("abc", "ac") == [("a", "a"), ("b", ""), ("c", "c")]
    assert aligned("ac", "abd") == [("a", "a"), ("", "b"), ("c", "d")] or aligned("ac", "abd") == [
        ("a", "a"),
        ("c", "b"),
        ("", "d"),
    ]
    assert aligned("", "x") == [("", "x")]
    score = PhoneScore((("θ", "s"), ("ɪ", "ɪ"), ("-", "t"), ("n", "-")))
    assert score.counts == Counts(3, 3)
    assert score.text == "θ>s ɪ>ɪ ->t n>-"


def test_lost_phones_are_counted_and_shown() -> None:
    report = with_phones(made_report(), "s>θ s>s s>θ t>t t>- ->d s>s")
    counts = phone_counts(report.systems["teacher"])
    assert (counts["s"].said, counts["s"].rate, counts["s"].text) == (16, 0.5, "50% θ")
    assert counts["t"].text == "50% -"
    assert worst_phones(report)[0] == ["s", "t"]
    shown = phone_table(report)
    assert shown is not None
    assert shown.row_count == 2
    assert shown in list(all_tables(report)) or len(list(all_tables(report))) > 1
    page = page_of(report, PageOptions())
    assert "Phones that are not heard" in page
    assert '<td class="heat4">50%<span>θ 50%</span></td>' in page
    assert "<span>lost 50%</span>" in page
    assert phone_table(made_report()) is None
    assert "Phones that are not heard" not in page_of(made_report(), PageOptions())


def test_phones_survive_the_file_and_are_bounded(tmp_path: object) -> None:
    path = with_phones(made_report(), "s>θ").save(tmp_path / "report.json")  # type: ignore[operator]
    assert read_evaluation(path).systems["source"].sentences[0].phones == "s>θ"
    long = with_phones(made_report(), "x" * 50_000).save(path)
    with pytest.raises(EvaluationError, match="phones must be text of up to 40000"):
        read_evaluation(long)


def test_metrics_without_their_packages_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    hidden = ("ctranslate2", "hama")
    monkeypatch.setattr(metric_module, "find_spec", lambda n: None if n in hidden else found(n))
    keys = {m.key: m for m in (WER_WHISPER, PHONE_ERROR_RATE)}
    monkeypatch.setattr(registry, "METRICS", registry.METRICS | keys)
    assert not {m.key for m in registry.system_metrics()} & set(keys)
    assert registry.left_out_metrics() == [
        "left out: WER, Whisper: pip install 'edge-vc[asr]'",
        "left out: PER: pip install 'edge-vc[evaluate]'",
    ]
