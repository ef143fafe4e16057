"""Recordings of any length: what is too long for a teacher is left out before it is read."""

from __future__ import annotations

import io
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from voices import voice

from edge_vc.labelling.label import Alignment, label_recording
from edge_vc.labelling.task import KEPT, LEFT_OUT, LONGEST_SECONDS, LabelTask, perform
from edge_vc.teachers.loading import open_teacher
from edge_vc.teachers.network_file import SHIPPED

HALF = SimpleNamespace(sample_rate=16000, convert=lambda audio: audio / 2)


def task(seconds: float, form: str, rate: int = 16000, repeats: int = 1) -> LabelTask:
    """A recording of so many seconds, ``repeats`` times over."""
    file = io.BytesIO()
    audio = np.tile(voice(seconds, rate=rate), repeats)
    soundfile.write(file, audio, rate, format=form, subtype="PCM_16")
    return LabelTask("key", f".{form.lower()}", file.getvalue(), 1.0, Alignment())


def with_length(content: bytes, size: int) -> bytes:
    """A WAV file whose data chunk says another size."""
    place = content.index(b"data") + 4
    return content[:place] + size.to_bytes(4, "little") + content[place + 4 :]


@pytest.mark.parametrize("form", ["WAV", "FLAC"])
@pytest.mark.parametrize("rate", [8000])
def test_a_recording_that_is_too_long_is_left_out_with_the_way_on(form: str, rate: int) -> None:
    found = perform(HALF, task(30.5, form, rate, repeats=10))
    assert (found.status, found.reason) == (LEFT_OUT, "too long")
    assert found.fact == f"over {LONGEST_SECONDS:g} s; cut it into sentences with edge-vc prepare"


def test_a_header_that_lies_about_the_length_changes_nothing() -> None:
    long, short = task(30.5, "WAV", 8000, 10), task(3.0, "WAV")
    claims = LabelTask("key", ".wav", with_length(long.content, 0xFFFFFFFF), 1.0, Alignment())
    assert perform(HALF, claims).reason == "too long"
    grand = LabelTask("key", ".wav", with_length(short.content, 0x7FFFF000), 1.0, Alignment())
    assert perform(HALF, grand).status == KEPT


PIECES = (
    "edge_vc.models.teacher.head.CHUNK_FRAMES",
    "edge_vc.audio.mel.CHUNK_FRAMES",
    "edge_vc.teachers.network.CHUNK_FRAMES",
    "edge_vc.audio.features.BLOCK_FRAMES",
    "edge_vc.audio.pitch._BLOCK",
)
"""What a teacher of ours works on at once, in frames."""


def test_pieces_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    teacher, audio = open_teacher(SHIPPED), voice(1.5)
    whole = label_recording(teacher, audio, Alignment())
    for name in PIECES:
        monkeypatch.setattr(name, 61)
    pieces = label_recording(teacher, audio, Alignment())
    np.testing.assert_array_equal(pieces.labels.f0, whole.labels.f0)
    np.testing.assert_allclose(pieces.labels.bands, whole.labels.bands, atol=2e-2)
    apart = pieces.labels.target.astype(int) - whole.labels.target
    assert np.abs(apart).max() <= 2
    assert pieces.delay.ms == pytest.approx(whole.delay.ms, abs=1e-3)


HOUR = """
import resource, sys
import numpy as np, soundfile
from edge_vc.labelling.label import Alignment
from edge_vc.labelling.task import LabelTask, perform
from edge_vc.teachers.loading import open_teacher
from edge_vc.teachers.network_file import SHIPPED
content = open(sys.argv[1], "rb").read()
teacher = open_teacher(SHIPPED)
found = perform(teacher, LabelTask("key", ".wav", content, 1.0, Alignment()))
print(found.reason, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.slow
def test_an_hour_takes_less_than_a_gigabyte(tmp_path) -> None:
    path = tmp_path / "hour.wav"
    minute = voice(60.0)
    with soundfile.SoundFile(path, "w", 16000, 1, "PCM_16") as file:
        for _ in range(60):
            file.write(minute)
    shown = subprocess.check_output([sys.executable, "-c", HOUR, str(path)], text=True)
    reason, megabytes = shown.rsplit(maxsplit=1)
    assert reason == "too long"
    assert int(megabytes) < 1000
