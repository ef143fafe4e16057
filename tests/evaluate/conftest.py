"""A small evaluation corpus of synthetic voices, with every role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_vc.audio.io import resample, write_audio
from edge_vc.data.corpus import Corpus, write_metadata
from edge_vc.data.synthetic.espeak import Request, Speaker
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.metrics.metric import Metric
from edge_vc.evaluate.metrics.registry import METRICS

RATE = 16000
TARGET = "en-us+f3"
SOURCES = ("en-us+m3", "en-us+m7")
LINES = (
    "The path is steep at first and gentle near the summit.",
    "Children were flying kites near the old bridge.",
    "Please put the kettle on and find the biscuits.",
    "Winter came early and covered the orchard in frost.",
)


@pytest.fixture(autouse=True, scope="session")
def built_in_metrics() -> Iterator[None]:
    """Leave out the metrics of optional packages: figures must not depend on what is installed."""
    with pytest.MonkeyPatch.context() as patch:
        for key in [key for key, m in METRICS.items() if isinstance(m, Metric) and m.needs]:
            patch.delitem(METRICS, key)
        yield


@pytest.fixture(scope="session")
def evaluation_corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Return two sources with two sentences each, four references and one retake."""
    root = tmp_path_factory.mktemp("evaluation")
    wanted = [(voice, "unseen-source", line) for voice in SOURCES for line in LINES[:2]]
    wanted += [(TARGET, "target-reference", line) for line in LINES]
    wanted += [(TARGET, "target-retake", LINES[0])]
    blank = Utterance(root, "", "", "", 0.0, "test", "", "CC0-1.0", "")
    utterances = []
    with Speaker() as speaker:
        for number, (voice, role, line) in enumerate(wanted):
            spoken, rate = speaker.speak(Request(line, voice, 45, 50, 140))
            samples = resample(spoken, rate, RATE)
            path = write_audio(root / f"u{number}.flac", samples, RATE)
            sex = "F" if "+f" in voice else "M"
            utterance = replace(blank, path=path, utt_id=f"u{number}", speaker=voice, role=role)
            utterances.append(replace(utterance, seconds=samples.size / RATE, text=line, sex=sex))
    write_metadata(root, utterances)
    return Corpus.open(root)


@pytest.fixture(scope="session")
def real_corpus() -> Corpus:
    """Return the real evaluation corpus, or skip where it does not lie beside the project."""
    root = Path(__file__).parents[2].parent / "shared" / "corpus" / "eval"
    if not root.is_dir():
        pytest.skip(f"no speech corpus at {root}")
    return Corpus.open(root)
