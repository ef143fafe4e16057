"""Students of other hops and rates: in both formats and precisions, in a bundle, in a session."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import torch
from export_toys import quantized_student, small_student

from edge_vc.audio.io import read_audio, write_audio
from edge_vc.models.student.student import Student
from edge_vc_export.bundle import release as releases
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.release import release_bundle
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.parity.cross_format import check_cross_format
from edge_vc_export.parity.fp32 import check_fp32
from edge_vc_export.parity.int8 import Int8Limits
from edge_vc_export.parity.speech import example_speech
from edge_vc_export.tflite.export import export_tflite
from edge_vc_runtime.audio.file_sink import FileSink
from edge_vc_runtime.audio.file_source import FileSource
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.golden import replay_golden
from edge_vc_runtime.live.offline import convert_stream
from edge_vc_runtime.session import Session

FORMS = [(2.5, 16_000), (5.0, 16_000), (10.0, 16_000), (20.0, 16_000), (10.0, 24_000)]
FACTS = BundleFacts("small", "0.1.0", "CC0-1.0", "Nobody's voice.", "Do what you like.\n")
UNTRAINED = Int8Limits(least_snr_db=10.0, largest_distance_db=30.0, largest_drift_db=6.0)

every_form = pytest.mark.parametrize(("hop_ms", "rate"), FORMS, ids=str)


def files(student: Student, folder: Path, frames: int = 1) -> tuple[Path, Path]:
    facts = {
        "hop": student.config.hop * frames,
        "sample_rate": student.config.sample_rate,
        "name": "small",
        "precision": "fp32",
        "licence": "CC0-1.0",
    }
    onnx = export_onnx(student, folder / "small.onnx", **facts)
    return onnx, export_tflite(student, folder / "small.tflite", **facts)


@every_form
def test_streaming_offline_and_both_engines_agree(hop_ms: float, rate: int, tmp_path: Path) -> None:
    student = small_student(hop_ms=hop_ms, sample_rate=rate)
    speech = example_speech(0.5, rate)

    onnx, tflite = files(student, tmp_path)

    for path in (onnx, tflite):
        parity = check_fp32(student, path, speech)
        assert max(parity.streaming, parity.offline) <= 1e-4
        assert parity.seconds == pytest.approx(0.5, abs=hop_ms / 1000)
    assert check_cross_format(onnx, tflite, speech).difference <= 1e-4


@pytest.mark.parametrize("frames", [2, 4])
def test_steps_of_several_frames_agree(frames: int, tmp_path: Path) -> None:
    student = small_student(hop_ms=5)
    for path in files(student, tmp_path, frames):
        parity = check_fp32(student, path, example_speech(0.5, 16_000))
        assert max(parity.streaming, parity.offline) <= 1e-4


def test_a_student_of_another_hop_is_not_the_same(tmp_path: Path) -> None:
    """The check sees what it is for: dilations that were not scaled change the output."""
    student = small_student(hop_ms=5)
    other = small_student(hop_ms=5)
    for block in list(other.trunk)[2:-2]:
        block.inner[0].conv.dilation = (1, 1)
    speech = torch.from_numpy(example_speech(0.5, 16_000))[None, None, None]
    with torch.no_grad():
        assert float((student(speech) - other(speech)).abs().max()) > 1e-4


@pytest.mark.slow
@every_form
def test_a_bundle_is_verified_and_run_by_a_session(
    hop_ms: float, rate: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "compare_precisions", lambda *_: {})
    student = small_student(hop_ms=hop_ms, sample_rate=rate)
    speech = example_speech(1.0, rate)

    release = release_bundle(
        tmp_path / "small.evc", student, quantized_student(student), FACTS,
        tier="nano", speech=speech, limits=UNTRAINED,
    )  # fmt: skip

    bundle = read_bundle(release.path)
    hop = round(hop_ms * rate / 1000)
    assert (bundle.manifest.hop, bundle.manifest.sample_rate) == (hop, rate)
    assert bundle.manifest.delay == hop
    for precision in ("fp32", "int8"):
        session = Session.open(release.path, precision=precision)
        assert (session.hop, session.sample_rate) == (hop, rate)
    replays = replay_golden(bundle)
    assert {(r.engine, r.precision) for r in replays} == {
        (engine, precision) for engine in ("onnx", "litert") for precision in ("int8", "fp32")
    }
    assert all(r.equal for r in replays)
    given = write_audio(tmp_path / "in.wav", 0.3 * speech, rate)
    session = Session.open(release.path, precision="fp32")
    with closing(FileSource(given)) as source:
        convert_stream(session, source, FileSink(tmp_path / "out.wav", rate))
    heard = read_audio(tmp_path / "out.wav", rate)
    with torch.no_grad():
        signal = torch.from_numpy(read_audio(given, rate))
        padded = torch.nn.functional.pad(signal, (0, hop + -len(signal) % hop))
        expected = student(padded[None, None, None])[0, 0, 0].numpy()[hop : hop + len(heard)]
    assert len(heard) == len(signal)
    assert float(np.abs(heard - expected[: len(heard)]).max()) < 1e-3
