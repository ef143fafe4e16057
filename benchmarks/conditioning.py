"""Effect of a bundle's conditioning inputs: voices and blends of them, pitch, intonation, style.

    python benchmarks/conditioning.py kathleen-flemish.evc --corpus corpus/eval \\
        --voice kathleen=target-reference --voice flemish=target-second-reference \\
        --json benchmarks/results/conditioning.json

Sentences of unseen speakers (role ``unseen-source``) are converted with one input changed at a
time and the others at their defaults. For each conversion: similarity (Resemblyzer) to the mean of
every voice's own recordings, given by their role in the corpus; median F0, standard deviation of
log F0 and of the level of voiced frames, and onsets of voiced segments per second, from which
styles are derived. Rows show means over the sentences and the paired difference from the row with
defaults, with 95 % bootstrap intervals. INT8 unless ``--precision`` says otherwise. Nothing is
timed.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

from edge_vc.audio.io import Samples
from edge_vc.audio.pitch import track_pitch
from edge_vc.audio.speaker_encoder import Embedding, SpeakerEncoder, similarity
from edge_vc.data.corpus import Corpus
from edge_vc.data.utterance import Utterance
from edge_vc.evaluate.report.bootstrap import Estimate, Resampling, mean
from edge_vc_runtime.bundle.input_spec import InputSpec
from edge_vc_runtime.live.offline import convert_array
from edge_vc_runtime.session import Session

RATE = 16_000
HOP = 160
REFERENCES = 30
"""Number of recordings per voice that its mean is computed from."""

Setting = Mapping[str, object]


def settings_of(inputs: Sequence[InputSpec]) -> Iterator[tuple[str, Setting]]:
    """Yield the settings to convert with: the defaults, then one input changed at a time."""
    yield "defaults", {}
    for spec in inputs:
        if spec.kind == "blend":
            for label in spec.labels:
                yield f"{spec.name} = {label}", {spec.name: label}
            pairs = zip(spec.labels, spec.labels[1:], strict=False)
            for one, other in pairs:
                for share in (0.25, 0.5, 0.75):
                    blend = {one: 1 - share, other: share}
                    yield (
                        f"{spec.name} = {1 - share:g} {one}, {share:g} {other}",
                        {spec.name: blend},
                    )
        elif spec.labels:
            for label in spec.labels:
                for value in (-1.5, 1.5):
                    yield f"{spec.name}.{label} = {value:g}", {spec.name: {label: value}}
    names = {spec.name for spec in inputs}
    for name, values in (("pitch", (-4, 3, 7)), ("intonation", (0, 0.5, 2)), ("breath", (-12, 6))):
        for value in values if name in names else ():
            yield f"{name} = {value:g}", {name: value}


def measured(
    audio: Samples, encoder: SpeakerEncoder, voices: Mapping[str, Embedding]
) -> dict[str, float]:
    """Return the figures of one conversion ``[T]``; F0 and level over its voiced frames."""
    embedding = encoder.embed(audio, RATE)
    found = {
        f"similarity to {name}": similarity(embedding, voice) for name, voice in voices.items()
    }
    f0 = track_pitch(audio, RATE, HOP).f0
    voiced = f0 > 0
    frames = len(audio) // HOP
    level = 10 * np.log10(np.square(audio[: frames * HOP].reshape(frames, HOP)).mean(1) + 1e-9)
    here = voiced[:frames]
    logs = np.log(f0[voiced]) if voiced.any() else np.zeros(1)
    return found | {
        "median F0, Hz": float(np.exp(np.median(logs))),
        "spread of log F0": float(logs.std()),
        "spread of level, dB": float(level[here].std()) if here.any() else 0.0,
        "onsets per second": float((np.diff(here.astype(int)) > 0).sum() / (len(audio) / RATE)),
    }


def chosen(corpus: Corpus, role: str, per_speaker: int) -> list[Utterance]:
    """Return the first ``per_speaker`` recordings of each speaker of a role; 0: all."""
    kept: dict[str, list[Utterance]] = {}
    for utterance in corpus.select(role):
        kept.setdefault(utterance.speaker, []).append(utterance)
    return [u for own in kept.values() for u in (own[:per_speaker] if per_speaker else own)]


def main(argv: list[str] | None = None) -> int:
    """Convert, measure, print and write; see the module."""
    parser = argparse.ArgumentParser(
        prog="conditioning.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", help="a bundle with conditioning inputs")
    parser.add_argument("--corpus", type=Path, required=True, help="as `edge-vc evaluate` takes it")
    parser.add_argument("--voice", action="append", default=[], metavar="NAME=ROLE", required=True)
    parser.add_argument("--per-speaker", type=int, default=2, help="sentences of each; 0: all")
    parser.add_argument("--precision", default=None, help="int8 or fp32; the bundle's default")
    parser.add_argument("--json", type=Path, help="keep the result here")
    arguments = parser.parse_args(argv)
    corpus, encoder = Corpus.open(arguments.corpus), SpeakerEncoder()
    voices = {}
    for given in arguments.voice:
        name, _, role = given.partition("=")
        own = corpus.select(role).utterances[:REFERENCES]
        if not own:
            print(f"conditioning: {corpus.root}: no recording has the role {role}", file=sys.stderr)
            return 2
        voices[name] = encoder.centroid((each.read(RATE) for each in own), RATE)
    sentences = [each.read(RATE) for each in chosen(corpus, "unseen-source", arguments.per_speaker)]
    session = Session.open(arguments.bundle, precision=arguments.precision)
    defaults = {spec.name: list(spec.default) for spec in session.inputs}
    rows: dict[str, list[dict[str, float]]] = {}
    for title, setting in track(list(settings_of(session.inputs)), "settings"):
        rows[title] = []
        for sentence in sentences:
            for name, value in {**defaults, **setting}.items():
                session.set(name, value)
            session.reset()
            converted = convert_array(session, sentence)
            rows[title].append(measured(converted, encoder, voices))
    summary = summarised(rows)
    result = {
        "benchmark": "conditioning",
        "bundle": Path(arguments.bundle).name,
        "engine": " ".join(session.engine),
        "environment": "host",
        "machine": platform.machine(),
        "sentences": len(sentences),
        "rows": summary,
    }
    for title, figures in summary.items():
        print(title, {name: round(each["value"], 3) for name, each in figures.items()})
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def summarised(rows: Mapping[str, Sequence[Mapping[str, float]]]) -> dict[str, dict[str, Any]]:
    """Return the mean of every figure and its paired difference from the first row."""
    first = next(iter(rows.values()))
    resampling = Resampling(len(first))
    found: dict[str, dict[str, Any]] = {}
    for title, sentences in rows.items():
        found[title] = {}
        for name in first[0]:
            mine, theirs = mean([s[name] for s in sentences]), mean([s[name] for s in first])
            figure = {"value": float(np.mean([s[name] for s in sentences]))}
            apart = resampling.estimate(mine.minus(theirs))
            found[title][name] = figure | ({"moved": _plain(apart)} if apart else {})
    return found


def _plain(estimate: Estimate) -> dict[str, float]:
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}


if __name__ == "__main__":
    raise SystemExit(main())
