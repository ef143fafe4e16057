from __future__ import annotations

import hashlib
import io
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from export_toys import FACTS, HOP, RATE, quantized_toy, speech_like, toy

from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.model_file import ModelFile
from edge_vc_export.bundle.writer import write_bundle
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.parity.golden import npz_bytes
from edge_vc_runtime.bundle.manifest import BundleError
from edge_vc_runtime.bundle.reader import read_bundle
from edge_vc_runtime.live.offline import convert_array
from edge_vc_runtime.session import Session

SPEECH = np.clip(speech_like(1200).flatten().numpy(), -1, 1)
SAYS = BundleFacts(
    name="toy-voice",
    version="1.2.0",
    licence="CC0-1.0",
    consent="Nobody's voice.",
    licence_text="Do what you like.\n",
    metrics={"similarity": 0.5},
    provenance={"recipe": "none"},
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[ModelFile]:
    folder = tmp_path_factory.mktemp("models")
    pairs = {"int8": quantized_toy(), "fp32": toy()}
    return [
        ModelFile(
            export_onnx(model, folder / f"{precision}.onnx", precision=precision, **FACTS),
            tier="nano",
            parameters=1234,
            macs_per_second=5.5e6,
            quantization={"weights": "int8"} if precision == "int8" else None,
        )
        for precision, model in pairs.items()
    ]


@pytest.fixture
def bundle(models: list[ModelFile], tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "toy.evc", SAYS, models, SPEECH)


def test_the_runtime_reads_what_was_written(bundle: Path) -> None:
    opened = read_bundle(bundle)
    manifest = opened.manifest

    assert (manifest.name, manifest.version, manifest.consent) == (
        "toy-voice", "1.2.0", "Nobody's voice.",
    )  # fmt: skip
    assert (manifest.hop, manifest.sample_rate, manifest.delay) == (HOP, RATE, 0)
    assert manifest.default == "model.int8.onnx"
    assert [model.precision for model in manifest.models] == ["int8", "fp32"]
    assert manifest.metrics == {"similarity": 0.5}
    assert {state.name for state in manifest.states} == {
        "frontend.context", "trunk.0.inner.0.context", "trunk.1.inner.0.context",
    }  # fmt: skip
    assert set(manifest.files) == {
        "model.int8.onnx", "model.fp32.onnx", "golden.npz", "MODEL_CARD.md", "LICENSE",
    }  # fmt: skip


def test_every_file_is_hashed(bundle: Path) -> None:
    opened = read_bundle(bundle)
    for name, entry in opened.manifest.files.items():
        data = opened.read(name)
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (entry.sha256, entry.size)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_session_converts_with_it(bundle: Path, precision: str) -> None:
    session = Session.open(bundle, precision=precision)
    model = toy() if precision == "fp32" else quantized_toy()

    found = convert_array(session, SPEECH)

    with torch.no_grad():
        expected = model(torch.from_numpy(SPEECH).reshape(1, 1, 1, -1)).flatten().numpy()
    assert np.sqrt(np.square(found - expected).mean()) < (1e-5 if precision == "fp32" else 0.02)


def test_sessions_reproduce_the_golden_recording(bundle: Path) -> None:
    golden = read_bundle(bundle).golden()
    tolerance = read_bundle(bundle).manifest.golden
    assert tolerance is not None
    assert golden["input"].shape[0] == 2 * RATE

    for precision, allowed in tolerance.tolerance.items():
        session = Session.open(bundle, precision=precision)
        hops = golden["input"].reshape(-1, HOP)
        found = np.concatenate([session.step(hop).copy() for hop in hops])
        assert np.abs(found - golden[f"output.{precision}"]).max() <= allowed


def test_the_same_inputs_give_the_same_bytes(
    bundle: Path, models: list[ModelFile], tmp_path: Path
) -> None:
    time.sleep(0.01)
    again = write_bundle(tmp_path / "again.evc", SAYS, models, SPEECH)

    assert again.read_bytes() == bundle.read_bytes()


def test_golden_archives_carry_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {"b": np.ones(3, np.float32), "a": np.zeros(2, np.float32)}
    before = npz_bytes(arrays)
    monkeypatch.setattr(time, "time", lambda: 4e8)

    assert npz_bytes(dict(reversed(arrays.items()))) == before
    with np.load(io.BytesIO(before), allow_pickle=False) as archive:
        assert archive.files == ["a", "b"]
        assert np.array_equal(archive["b"], arrays["b"])


def test_a_signature_has_its_place(models: list[ModelFile], tmp_path: Path) -> None:
    signed: list[bytes] = []

    def sign(manifest: bytes) -> bytes:
        signed.append(manifest)
        return b"-----BEGIN SSH SIGNATURE-----\n"

    path = write_bundle(tmp_path / "signed.evc", SAYS, models, signer=sign)

    members = list(read_bundle(path).members)
    assert members[:2] == ["manifest.json", "manifest.sig"]
    assert signed == [read_bundle(path).manifest.to_json()]


def test_the_card_says_what_matters(bundle: Path) -> None:
    card = read_bundle(bundle).read("MODEL_CARD.md").decode()

    for words in ("# toy-voice 1.2.0", "Nobody's voice.", "CC0-1.0", "2 ms algorithmic latency",
                  "Intended use", "| similarity | 0.5 |", "1,234"):  # fmt: skip
        assert words in card


def test_models_of_two_students_are_refused(models: list[ModelFile], tmp_path: Path) -> None:
    facts = FACTS | {"sample_rate": 16000}
    other = export_onnx(toy(), tmp_path / "other.onnx", precision="fp32", **facts)

    with pytest.raises(ValueError, match="sample_rate differs"):
        write_bundle(tmp_path / "x.evc", SAYS, [models[0], replace(models[1], path=other)])


def test_two_models_of_one_precision_are_refused(models: list[ModelFile], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two models are both model.fp32.onnx"):
        write_bundle(tmp_path / "x.evc", SAYS, [models[1], models[1]])


def test_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one model"):
        write_bundle(tmp_path / "x.evc", SAYS, [])


def test_facts_that_no_reader_accepts_leave_nothing_behind(
    models: list[ModelFile], tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match="name"):
        write_bundle(tmp_path / "x.evc", replace(SAYS, name="two words"), models)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(models: list[ModelFile], tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"missing/x\.evc: cannot be written"):
        write_bundle(tmp_path / "missing" / "x.evc", SAYS, models)


def test_a_failure_leaves_the_old_bundle(
    bundle: Path, models: list[ModelFile], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bundle.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(BundleError, match="No space left on device"):
        write_bundle(bundle, replace(SAYS, version="2.0"), models)

    assert bundle.read_bytes() == before
    assert [path.name for path in bundle.parent.iterdir()] == ["toy.evc"]
