"""A recording goes up and its conversion comes down: same content, bounded in every direction."""

from __future__ import annotations

import io
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import soundfile
from serve_client import Client
from starlette.testclient import TestClient
from voices import voice

from edge_vc.assets import bundle_path
from edge_vc.serve import upload
from edge_vc.serve.options import ServeOptions
from edge_vc.serve.recording import measure_recording
from edge_vc.serve.slots import ConversionSlots
from edge_vc.serve.upload import RecordingEndpoint
from edge_vc.serve.voices import ServeError, VoiceCatalogue
from edge_vc_runtime import Session, convert_array
from edge_vc_runtime.chain.chain import Chain

PLAIN = {"voice": "kathleen-nano", "gate": "0", "level_follow": "0"}


def encoded(audio: np.ndarray, rate: int = 16000, form: str = "WAV") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, audio, rate, format=form, subtype="PCM_16" if form != "MP3" else None)
    return out.getvalue()


def decoded(data: bytes) -> tuple[np.ndarray, int]:
    audio, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return audio, rate


def test_a_recording_is_converted_as_offline(client: Client) -> None:
    audio = voice(1.5)
    answer = client().post("/convert", content=encoded(audio), params=PLAIN)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "audio/wav"
    assert int(answer.headers["content-length"]) == len(answer.content)
    got, rate = decoded(answer.content)
    sent = decoded(encoded(audio))[0][:, 0]
    wanted = convert_array(Chain(Session.open(bundle_path("kathleen-nano"))), sent)
    assert (got.shape, rate) == ((audio.size, 1), 16000)
    assert np.abs(got[:, 0] - wanted).max() < 1 / 32768
    assert np.abs(wanted).max() > 0.05


@pytest.mark.parametrize(("form", "rate"), [("WAV", 48000), ("FLAC", 44100), ("MP3", 44100)])
def test_a_pair_holds_both_at_the_same_time(client: Client, form: str, rate: int) -> None:
    audio = voice(1.0, rate=rate)
    data = encoded(audio, rate, form)
    answer = client().post("/convert", content=data, params=PLAIN | {"pair": "1"})
    got, got_rate = decoded(answer.content)
    source = decoded(data)[0][:, 0]
    assert (got.shape, got_rate) == ((source.size, 2), rate)
    assert np.abs(got[:, 0] - source).max() < 1e-4
    assert np.abs(got[:, 1]).max() > 0.02


def test_channels_that_cancel_each_other_are_said(client: Client) -> None:
    audio = voice(1.0)
    content = encoded(np.stack([audio, -0.9 * audio], axis=1))
    answer = client().post("/convert", content=content, params=PLAIN)
    assert answer.headers["edge-vc-notice"].startswith("the recording: its channels cancel")
    assert np.abs(decoded(answer.content)[0]).max() > 0.01
    assert "edge-vc-notice" not in client().post("/convert", content=encoded(audio)).headers


def test_very_high_rates_come_back_at_48_khz(client: Client) -> None:
    data = encoded(voice(0.5, rate=96000), 96000)
    got, rate = decoded(client().post("/convert?pair=1", content=data).content)
    assert (got.shape, rate) == ((24000, 2), 48000)


def test_parameters_are_followed(client: Client) -> None:
    data = encoded(voice(1.0))
    made = client()
    loud, _ = decoded(made.post("/convert", content=data, params=PLAIN).content)
    soft, _ = decoded(made.post("/convert", content=data, params=PLAIN | {"gain": "-20"}).content)
    assert np.std(soft) == pytest.approx(np.std(loud) / 10, rel=0.1)


@pytest.mark.parametrize(
    ("content", "query", "reason"),
    [
        (b"", {}, "is not audio"),
        (b"RIFF----WAVE", {}, "broken WAV"),
        (b"\0" * 1000, {}, "is not audio"),
        (encoded(np.zeros(0, np.float32)), {}, "holds no samples"),
        (encoded(np.zeros(9, np.float32)), {"voice": "other\n"}, "no voice 'other\\n'"),
        (encoded(np.zeros(9, np.float32)), {"pitch": "x"}, "pitch"),
        (encoded(np.zeros(9, np.float32)), {"nothing": "1"}, "no parameter 'nothing'"),
    ],
    ids=["empty", "header", "zeros", "no samples", "voice", "value", "parameter"],
)
def test_what_cannot_be_converted_is_one_line(
    client: Client, content: bytes, query: dict[str, str], reason: str
) -> None:
    answer = client().post("/convert", content=content, params=query)
    assert answer.status_code == 422
    assert reason in answer.json()["error"]
    assert "/tmp" not in answer.json()["error"]


def test_nan_is_found_before_anything_is_sent(client: Client) -> None:
    out = io.BytesIO()
    audio = np.zeros(50000, np.float32)
    audio[40000] = np.nan
    soundfile.write(out, audio, 16000, format="WAV", subtype="FLOAT")
    answer = client().post("/convert", content=out.getvalue())
    assert answer.status_code == 422
    assert "sample 40000" in answer.json()["error"]


def test_large_recordings_are_refused_at_the_limit(client: Client) -> None:
    made = client(upload_mb=1)
    answer = made.post("/convert", content=bytes(1_100_000))
    assert answer.status_code == 413
    assert "1 MB" in answer.json()["error"]
    chunks = (bytes(100_000) for _ in range(11))  # no Content-Length
    assert made.post("/convert", content=chunks).status_code == 413


def test_a_small_file_that_holds_hours_is_refused(client: Client) -> None:
    data = encoded(np.zeros(16000 * 30, np.float32), form="FLAC")
    assert len(data) < 20_000
    answer = client(minutes=0.25).post("/convert", content=data)
    assert answer.status_code == 422
    assert "0.25 minutes" in answer.json()["error"]


def test_a_server_that_stops_does_not_read_on(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(encoded(voice(2.0)))
    stop = Event()
    assert measure_recording(path, 1, stop).frames == 32000
    stop.set()
    with pytest.raises(ServeError, match="stopped"):
        measure_recording(path, 1, stop)


def test_no_file_is_left_and_places_are_given_back(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload.tempfile, "tempdir", str(tmp_path))
    made = client(connections=1)
    for content in (encoded(voice(0.2)), b"none", encoded(voice(0.2))):
        made.post("/convert", content=content)
    assert list(tmp_path.iterdir()) == []


def test_too_many_at_once_are_refused(catalogue: VoiceCatalogue) -> None:
    slots = ConversionSlots(1, "recordings")
    client = TestClient(RecordingEndpoint(catalogue, ServeOptions(), slots))
    with slots.take():
        answer = client.post("/", content=encoded(voice(0.2)))
    assert (answer.status_code, "1 of 1" in answer.json()["error"]) == (503, True)
    assert client.post("/", content=encoded(voice(0.2))).status_code == 200
    assert slots.taken == 0
