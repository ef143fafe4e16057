"""Conditioning inputs on the board: values from outside, hostile manifests, options, control."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from conditioned_toys import INPUTS, conditioned_student, write_conditioned

from edge_vc.serve.voices import VoiceCatalogue
from edge_vc_runtime.bundle.input_spec import InputSpec, ModelInputError, find_input
from edge_vc_runtime.bundle.manifest import BundleError, Manifest
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.chain.aux_stream import open_stream
from edge_vc_runtime.chain.chain import Chain
from edge_vc_runtime.chain.model_inputs import next_voice
from edge_vc_runtime.cli import main
from edge_vc_runtime.control.requests import ControlRequests
from edge_vc_runtime.session import Session
from edge_vc_runtime.tiers.tiers import TieredConverter

VOICE, STYLE, PITCH = INPUTS[:3]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_conditioned(conditioned_student(), tmp_path_factory.mktemp("inputs"))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    import soundfile

    path = tmp_path / "in.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.05, 4800), 16_000)
    return path


@pytest.mark.parametrize(
    ("spec", "value", "expected"),
    [
        (PITCH, "2", (2.0,)),
        (PITCH, -3, (-3.0,)),
        (VOICE, "flemishguy", (0.0, 1.0)),
        (VOICE, "kathleen:0.6, flemishguy:0.2", (0.75, 0.25)),
        (VOICE, [1, 1], (0.5, 0.5)),
        (STYLE, "rate:-1", (0.0, 0.0, -1.0)),
        (STYLE, {"pitch_range": 2}, (2.0, 0.0, 0.0)),
        (STYLE, "0.5,0,1", (0.5, 0.0, 1.0)),
    ],
)
def test_values_from_outside(spec: InputSpec, value: object, expected: tuple[float, ...]) -> None:
    assert spec.check(value) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("spec", "value", "fact"),
    [
        (VOICE, "katleen", "voice: no 'katleen'; did you mean kathleen?"),
        (VOICE, "nobody", "voice: no 'nobody'; one of kathleen, flemishguy"),
        (VOICE, "kathleen:0", "voice: all shares are 0; give one of kathleen, flemishguy"),
        (VOICE, "kathleen:-1,flemishguy:2", "voice.kathleen is -1; expected 0 to 1"),
        (STYLE, "rate:9", "style.rate is 9; expected -2 to 2"),
        (STYLE, "1,2", "style: 2 numbers; expected 3 (pitch_range, energy_range, rate)"),
        (PITCH, "13", "pitch is 13; expected -12 to 12 semitones"),
        (PITCH, "high", "pitch: expected 1 numbers from -12 to 12 semitones, got 'high'"),
        (PITCH, float("nan"), "pitch: expected numbers from -12 to 12 semitones, got nan"),
        (PITCH, 10**400, "pitch: expected numbers from -12 to 12"),
        (PITCH, True, "got True"),
        (PITCH, None, "got None"),
    ],
)
def test_a_value_that_does_not_do_is_one_line(spec: InputSpec, value: object, fact: str) -> None:
    with pytest.raises(ModelInputError) as caught:
        spec.check(value)
    assert fact in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_unknown_input_says_which_there_are() -> None:
    with pytest.raises(
        ModelInputError, match="no input 'mood'; this bundle has voice, style, pitch"
    ):
        find_input(INPUTS, "mood")
    with pytest.raises(ModelInputError, match="no input 'pitch'; this bundle has none"):
        find_input((), "pitch")


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        ({"name": "../x"}, "name is"),
        ({"shape": [257]}, "an integer from 1 to 256"),
        ({"shape": []}, "one size"),
        ({"shape": [2]}, "1 numbers; expected 2"),
        ({"low": 20.0}, "low 20 is not below high 12"),
        ({"default": [99.0]}, "pitch is 99"),
        ({"default": ["x"]}, "a number from"),
        ({"kind": "code"}, "one of value, blend, stream"),
        ({"kind": "blend"}, "blends labelled"),
        ({"labels": ["a\x1b"]}, "control code"),
        ({"meaning": "two\nlines"}, "matching"),
        ({"extra": 1}, "extra is not a known key"),
    ],
)
def test_a_hostile_declaration_is_refused(bundle: Path, change: dict, fact: str) -> None:
    manifest = read_bundle(bundle).manifest
    document = json.loads(replace(manifest, inputs=(PITCH,)).to_json())
    document["inputs"][0] |= change
    with pytest.raises(BundleError) as caught:
        Manifest.from_json(signed(document))
    assert fact in str(caught.value)


def signed(document: dict) -> bytes:
    """The document with the digest that its own bytes need."""
    import hashlib

    document["digest"] = "0" * 64
    blank = (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
    return blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode(), 1)


def test_inputs_belong_to_their_format(bundle: Path) -> None:
    document = json.loads(read_bundle(bundle).manifest.to_json())
    for change in ({"format_version": 1}, {"inputs": []}, {"inputs": document["inputs"] * 2}):
        with pytest.raises(BundleError):
            Manifest.from_json(signed(document | change))


def run(bundle: Path, recording: Path, *options: str) -> tuple[int, bytes]:
    out = recording.with_name("out.wav")
    out.unlink(missing_ok=True)
    code = main(["run", str(bundle), str(recording), str(out), "-q", *options])
    return code, out.read_bytes() if out.is_file() else b""


def test_the_command_line_sets_inputs(bundle: Path, recording: Path) -> None:
    plain = run(bundle, recording)
    assert run(bundle, recording, "--voice", "kathleen") == plain
    assert run(bundle, recording, "--voice", "flemishguy")[1] != plain[1]
    assert run(bundle, recording, "--set", "style=rate:1", "--set", "breath=6")[1] != plain[1]
    through_chain = run(bundle, recording, "--gain", "0")
    assert run(bundle, recording, "--gain", "0", "--set", "pitch=4")[1] != through_chain[1]


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        (("--voice", "nobody"), "voice: no 'nobody'; one of kathleen, flemishguy"),
        (("--set", "style=rate:9"), "style.rate is 9; expected -2 to 2"),
        (("--set", "mood=1"), "no input 'mood'; this bundle has voice, style"),
        (("--set", "pitch"), "expected NAME=VALUE, as in --set pitch=2"),
        (("--voice", "kathleen", "--set", "voice=kathleen"), "'voice' is given twice"),
    ],
)
def test_a_wrong_option_is_one_line(
    bundle: Path, recording: Path, capsys, options: tuple[str, ...], fact: str
) -> None:
    assert run(bundle, recording, *options) == (2, b"")
    said = capsys.readouterr().err
    assert fact in said
    assert len(said.splitlines()) == 1


def test_a_bundle_without_inputs_says_so(recording: Path, capsys) -> None:
    from edge_vc.assets import bundle_path

    assert run(bundle_path("kathleen-nano"), recording, "--set", "pitch=2")[0] == 2
    assert "no input 'pitch'; this bundle has none" in capsys.readouterr().err


def test_inspect_shows_them(bundle: Path, capsys) -> None:
    assert main(["inspect", str(bundle)]) == 0
    said = capsys.readouterr().out
    assert "input voice: 2 numbers of kathleen, flemishguy, 0 to 1 (default: 1, 0)" in said
    assert "input pitch: a number, -12 to 12 semitones (default: 0)" in said


@pytest.mark.parametrize("tiered", [False, True], ids=["session", "tiers"])
def test_a_running_chain_follows_its_parameters(bundle: Path, tiered: bool) -> None:
    session = Session.open(bundle, "onnx")
    session.set("pitch", 2)
    converter = TieredConverter([session]) if tiered else session
    chain = Chain(converter)
    assert chain.parameters["model_pitch"] == 2
    answer = ControlRequests(chain.parameters, dict).answer(
        b'{"set": {"model_voice": "flemishguy", "model_pitch": -4}}'
    )
    assert json.loads(answer)["ok"]
    silence = np.zeros(160, np.float32)
    chain.step(silence)
    assert 0 < session.get("voice")[1] < 1  # on its way: nothing jumps
    for _ in range(12):
        chain.step(silence)
    assert session.get("voice") == (0.0, 1.0)
    assert session.get("pitch") == (-4.0,)
    assert next_voice(chain.parameters) == "kathleen"


def test_no_share_of_any_voice_keeps_the_last_one(bundle: Path) -> None:
    session = Session.open(bundle, "onnx")
    chain = Chain(session)
    chain.parameters.set("model_voice_kathleen", 0)
    for _ in range(12):
        chain.step(np.zeros(160, np.float32))
    assert session.get("voice") == (1.0, 0.0)


def test_the_page_gets_the_inputs_of_each_voice(bundle: Path) -> None:
    facts = VoiceCatalogue.read([bundle]).facts[0]
    names = [parameter["name"] for parameter in facts.inputs]
    assert names[:3] == [
        "model_voice_kathleen",
        "model_voice_flemishguy",
        "model_style_pitch_range",
    ]
    assert "model_phones_0" not in names
    assert asdict(facts)["inputs"][0]["value"] == 1.0


def test_a_stream_comes_with_the_hops_and_ends_in_zeros(bundle: Path) -> None:
    session = Session.open(bundle, "onnx")
    rows = np.random.default_rng(0).random((3, 5))
    path = bundle.with_name("rows.npy")
    np.save(path, rows)
    streamed = open_stream(session, f"phones={path}")
    for row in (*rows, np.zeros(5)):
        streamed.step(np.zeros(160, np.float32))
        assert session.get("phones") == pytest.approx(tuple(row), abs=1e-6)


def test_a_stream_is_heard_in_a_recording_and_none_changes_nothing(
    bundle: Path, recording: Path
) -> None:
    path = recording.with_name("rows.npy")
    np.save(path, np.zeros((30, 5), np.float32))
    plain = run(bundle, recording)
    assert run(bundle, recording, "--stream", f"phones={path}") == plain
    np.save(path, np.ones((30, 5), np.float32))
    assert run(bundle, recording, "--stream", f"phones={path}")[1] != plain[1]


@pytest.mark.parametrize(
    ("given", "rows", "fact"),
    [
        ("phones", None, "expected NAME=FILE.npy"),
        ("pitch=x.npy", None, "pitch is not a stream: give --set pitch=VALUE"),
        ("mood=x.npy", None, "no input 'mood'"),
        ("phones=missing.npy", None, "No such file"),
        ("phones={}", np.zeros((4, 3)), "shape [4, 3], expected a .npy file of floats [hops, 5]"),
        ("phones={}", np.full((4, 5), np.nan), "not finite numbers"),
        ("phones={}", np.array([[object()]]), "not a .npy file of floats"),
        ("phones={}", b"not numpy", "not a .npy file of floats"),
    ],
)
def test_a_stream_that_does_not_do_is_one_line(
    bundle: Path, recording: Path, capsys, given: str, rows: object, fact: str
) -> None:
    path = recording.with_name("rows.npy")
    if isinstance(rows, bytes):
        path.write_bytes(rows)
    elif rows is not None:
        np.save(path, rows, allow_pickle=True)
    assert run(bundle, recording, "--stream", given.format(path)) == (2, b"")
    said = capsys.readouterr().err
    assert fact in said
    assert len(said.splitlines()) == 1


def test_a_stream_and_the_chain_do_not_go_together(bundle: Path, recording: Path, capsys) -> None:
    assert run(bundle, recording, "--stream", "phones=x.npy", "--gain", "3") == (2, b"")
    assert "leave the voice options out" in capsys.readouterr().err
