"""Distill-MOS scores as its authors' code does, and says what is missing where it cannot."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from typer.testing import CliRunner

from edge_vc.audio.io import Samples, resample
from edge_vc.data.corpus import Corpus
from edge_vc.evaluate.cli import app
from edge_vc.evaluate.metrics import metric as metric_module
from edge_vc.evaluate.metrics import registry
from edge_vc.evaluate.metrics.distill_mos import (
    DISTILL_MOS,
    RATE,
    STEP,
    DistillMosModel,
    crops,
    weights_bytes,
)
from edge_vc.evaluate.metrics.distill_mos_network import CROP, DistillMosNetwork
from edge_vc.evaluate.report.cli import app as report_app
from edge_vc.settings.optional import EvaluationError

INSTALL = "pip install --no-deps distillmos==0.9.1"


@pytest.fixture(scope="module")
def model() -> DistillMosModel:
    if DISTILL_MOS.missing:
        pytest.skip(f"Distill-MOS is not installed: {DISTILL_MOS.missing}")
    return DistillMosModel()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "METRICS", registry.METRICS | {DISTILL_MOS.key: DISTILL_MOS})


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the weights of another package of that name, whose code must not run."""
    weights = tmp_path / "distillmos" / "weights" / "distill_mos_v7.pt"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"not these")
    (weights.parents[1] / "__init__.py").write_text("raise SystemExit('was imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    return weights


def noise(seconds: float) -> Samples:
    drawn = np.random.default_rng(5).normal(0, 0.1, round(seconds * RATE))
    return drawn.astype(np.float32)


def tone(seconds: float) -> Samples:
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.1 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def bursts(seconds: float) -> Samples:
    """Return noise that is off for half a second, on for half a second, and so on."""
    time = np.arange(round(seconds * RATE)) / RATE
    return noise(seconds) * (time % 1 >= 0.5)


PUBLISHED = {
    "tone": (tone(1.0), 1.497423),
    "noise": (noise(2.0), 2.254122),
    "quiet noise": (0.001 * noise(0.3), 2.203291),
    "one crop": (bursts(7.68), 1.295416),
    "one sample more": (bursts(7.68 + 1 / RATE), 1.309552),
    "six crops": (bursts(12.0), 1.300577),
    "silence, then noise": (np.concatenate([0 * noise(9.0), noise(1.0)]), 1.888176),
    "silence": (0 * noise(1.0), 1.969043),
}
"""Signals, and what the code of distillmos 0.9.1 gives them."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_scores_are_those_of_the_authors_code(name: str, model: DistillMosModel) -> None:
    samples, score = PUBLISHED[name]
    assert model.rate(samples, RATE) == pytest.approx(score, abs=1e-4)


def test_speech_is_scored_as_by_the_authors_code(model: DistillMosModel, arctic: Samples) -> None:
    assert model.rate(arctic, RATE) == pytest.approx(4.230509, abs=1e-4)
    worse = model.rate(arctic + noise(4.0)[: arctic.size], RATE)
    assert worse is not None
    assert worse < 3.5


def test_the_package_is_not_imported(model: DistillMosModel) -> None:
    assert not {"distillmos", "xls_r_sqa", "torchaudio", "transformers"} & set(sys.modules)


def test_audio_without_samples_has_no_score(model: DistillMosModel) -> None:
    assert model.rate(np.zeros(0, np.float32), RATE) is None
    assert model.rate(np.zeros(0, np.float32), 44_100) is None


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
def test_other_sample_rates_are_resampled(
    rate: int, model: DistillMosModel, arctic: Samples
) -> None:
    other = resample(arctic, RATE, rate)
    assert model.rate(other, rate) == model.rate(resample(other, rate, RATE), RATE)
    # The resampler takes away what lies just below 8 kHz, which is heard.
    assert model.rate(other, rate) == pytest.approx(model.rate(arctic, RATE), abs=0.15)
    assert model.rate(other, RATE) != pytest.approx(model.rate(arctic, RATE), abs=0.15)


def test_the_same_recording_has_the_same_score(model: DistillMosModel, arctic: Samples) -> None:
    first = model.rate(arctic, RATE)
    model.rate(noise(1.0), RATE)
    assert model.rate(arctic, RATE) == first
    assert DistillMosModel().rate(arctic, RATE) == first
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda x: model.rate(x, RATE), [arctic, arctic])) == [first, first]
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert model.rate(arctic, RATE) == pytest.approx(first, abs=1e-5)
    finally:
        torch.set_num_threads(before)


def test_crops_of_a_batch_are_scored_each_for_itself() -> None:
    torch.manual_seed(0)
    network = DistillMosNetwork()
    both = torch.stack([torch.from_numpy(x) for x in (bursts(7.68), noise(7.68))])
    assert network.spectrum(both).shape == (2, 2, 161, 768)
    together, alone = network(both), torch.cat([network(one[None]) for one in both])
    assert together.shape == (2,)
    assert together[0] != together[1]
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("over", [0, 1, STEP, STEP + 1, 3 * STEP + 1234])
def test_crops_reach_from_the_beginning_to_the_end(over: int) -> None:
    audio = np.arange(1, CROP + over + 1, dtype=np.float32)
    found = list(crops(audio))
    assert all(crop.shape == (CROP,) and crop.dtype == np.float32 for crop in found)
    assert all(crop.max() == 1.0 for crop in found)
    # A crop begins with (start + 1) / (start + CROP).
    starts = [round((CROP * float(crop[0]) - 1) / (1 - float(crop[0]))) for crop in found]
    assert (starts[0], starts[-1]) == (0, over)
    apart = np.diff(starts)
    assert len(apart) == -(-over // STEP)
    assert all(over // len(apart) <= step <= STEP for step in apart)


def test_short_audio_is_followed_by_silence() -> None:
    (crop,) = crops(np.full(1000, 0.5, np.float32))
    assert crop.shape == (CROP,)
    assert crop[:1000] == pytest.approx(1.0)
    assert not crop[1000:].any()
    (silent,) = crops(np.zeros(1000, np.float32))
    assert not silent.any()


def evaluated(corpus: Corpus, saved: Path) -> Result:
    options = ["--corpus", str(corpus.root), "--per-speaker", "1", "--json", str(saved)]
    return CliRunner().invoke(app, ["source", *options])


def test_it_stands_in_report_tables_and_page(
    model: DistillMosModel, registered: None, evaluation_corpus: Corpus, tmp_path: Path
) -> None:
    saved, page = tmp_path / "report.json", tmp_path / "page.html"
    done = evaluated(evaluation_corpus, saved)
    assert done.exit_code == 0, done.output
    assert "left out" not in done.output
    heading = next(line for line in done.output.splitlines() if "DNSMOS" in line)
    assert heading.split()[-2:] == ["DNSMOS", "Distill-MOS"]
    source = json.loads(saved.read_text())["systems"]["source"]
    sentence = source["sentences"][0]
    (utterance,) = [u for u in evaluation_corpus if u.utt_id == sentence["utt_id"]]
    assert sentence["scores"]["distill_mos"] == model.rate(utterance.read(RATE), RATE)
    assert 1 < source["overall"]["distill_mos"]["value"] < 5
    shown = CliRunner().invoke(report_app, [str(saved), "-o", str(page)])
    assert shown.exit_code == 0, shown.output
    assert "<h3>Distill-MOS</h3>" in page.read_text()


def test_without_its_package_it_is_left_out_with_a_line(
    registered: None, evaluation_corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = metric_module.find_spec
    monkeypatch.setattr(
        metric_module, "find_spec", lambda name: None if name == "distillmos" else found(name)
    )
    assert registry.left_out_metrics() == [f"left out: Distill-MOS: {INSTALL}"]
    saved = tmp_path / "report.json"
    done = evaluated(evaluation_corpus, saved)
    assert done.exit_code == 0, done.output
    assert f"left out: Distill-MOS: {INSTALL}\n" in done.output
    assert "distill_mos" not in saved.read_text()
    monkeypatch.setattr("edge_vc.settings.package.find_spec", lambda name: None)
    with pytest.raises(EvaluationError, match=f"^evaluation needs distillmos: {INSTALL}$"):
        weights_bytes()


def test_other_weights_are_refused_in_one_line(
    package: Path, registered: None, evaluation_corpus: Corpus, tmp_path: Path
) -> None:
    done = evaluated(evaluation_corpus, tmp_path / "report.json")
    assert done.exit_code == 2, done.output
    (said,) = [line for line in done.output.splitlines() if "distill_mos_v7" in line]
    repair = INSTALL.replace("install", "install --force-reinstall")
    other = hashlib.sha256(b"not these").hexdigest()[:12]
    assert said.endswith(f"(sha256 {other}, expected b18b3ac60227); {repair}")
    assert "Traceback" not in done.output
    package.unlink()
    with pytest.raises(EvaluationError, match="distill_mos_v7.pt: No such file") as error:
        weights_bytes()
    assert str(error.value).endswith(f"; {repair}")
    assert "\n" not in str(error.value)
