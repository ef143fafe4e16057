"""Small real bundles for tests: a delay line with a gain, written without the project's writer."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from runtime_tflite import delay_tflite

from edge_vc_runtime.bundle.entries import FileEntry, Golden, ModelEntry, StateSpec
from edge_vc_runtime.bundle.manifest import Manifest

GAINS = {"fp32": 1.0, "int8": 0.5}  # so that a test can hear which model ran


def delay_model(hop: int, delay: int, gain: float) -> bytes:
    """An ONNX graph: output = gain * input, ``delay`` samples late; counts its hops in a state."""
    audio, line = [1, 1, 1, hop], [1, 1, 1, delay]
    value = helper.make_tensor_value_info
    initializers = [
        helper.make_tensor("zero", TensorProto.INT64, [1], [0]),
        helper.make_tensor("hop", TensorProto.INT64, [1], [hop]),
        helper.make_tensor("end", TensorProto.INT64, [1], [hop + delay]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [3]),
        helper.make_tensor("gain", TensorProto.FLOAT, [1], [gain]),
        helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]),
    ]
    nodes = [
        helper.make_node("Concat", ["state.line", "audio"], ["all"], axis=3),
        helper.make_node("Slice", ["all", "zero", "hop", "axis"], ["old"]),
        helper.make_node("Slice", ["all", "hop", "end", "axis"], ["next.line"]),
        helper.make_node("Mul", ["old", "gain"], ["audio_out"]),
        helper.make_node("Add", ["state.count", "one"], ["next.count"]),
    ]
    real = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "delay",
        [
            value("audio", real, audio),
            value("state.line", real, line),
            value("state.count", real, [1, 1, 1, 1]),
        ],
        [
            value("audio_out", real, audio),
            value("next.line", real, line),
            value("next.count", real, [1, 1, 1, 1]),
        ],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


_WRITERS = {"onnx": delay_model, "tflite": delay_tflite}


def golden_file(hop: int, delay: int) -> bytes:
    """Two seconds of noise and what both models make of it."""
    audio = np.random.default_rng(5).normal(0, 0.1, 32 * hop).astype(np.float32)
    arrays = {"input": audio}
    for precision, gain in GAINS.items():
        late = np.concatenate([np.zeros(delay, np.float32), audio])[: audio.size]
        arrays[f"output.{precision}"] = np.float32(gain) * late
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def mini_contents(
    hop: int = 160,
    delay: int = 160,
    sample_rate: int = 16000,
    formats: tuple[str, ...] = ("onnx",),
) -> tuple[Manifest, dict[str, bytes]]:
    """A manifest and the files it lists; the default is fp32 in the first of the formats."""
    forms = [(format, precision) for format in formats for precision in ("int8", "fp32")]
    files = {f"model.{p}.{f}": _WRITERS[f](hop, delay, GAINS[p]) for f, p in forms}
    files["golden.npz"] = golden_file(hop, delay)
    manifest = Manifest(
        name="mini",
        version="0.1.0",
        sample_rate=sample_rate,
        hop=hop,
        delay=delay,
        states=(StateSpec("line", (1, 1, 1, delay)), StateSpec("count", (1, 1, 1, 1))),
        models=tuple(ModelEntry(f"model.{p}.{f}", f, p, "nano", 1, 16000.0) for f, p in forms),
        default=f"model.fp32.{formats[0]}",
        golden=Golden("golden.npz", {"fp32": 1e-6, "int8": 1e-6}),
        files={},
        licence="CC0-1.0",
        consent="A synthetic signal; nobody's voice.",
    )
    return listed(manifest, files), files


def listed(manifest: Manifest, files: dict[str, bytes]) -> Manifest:
    """Return the manifest with hashes and sizes of ``files``."""
    entries = {n: FileEntry(hashlib.sha256(d).hexdigest(), len(d)) for n, d in files.items()}
    return replace(manifest, files=entries)


def member(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE) -> bytes:
    """One archive entry as bytes: header, data, padding."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.size = len(data) if kind == tarfile.REGTYPE else 0
    if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        info.linkname = "/etc/passwd"
    header = info.tobuf(tarfile.USTAR_FORMAT)
    return header + data + b"\0" * (-len(data) % 512)


def archive(*members: bytes) -> bytes:
    """Members with the end mark of a whole archive."""
    body = b"".join(members) + b"\0" * 1024
    return body + b"\0" * (-len(body) % tarfile.RECORDSIZE)


def write_bundle(path: Path, manifest: Manifest, files: dict[str, bytes]) -> Path:
    """Write a manifest, as it is, and its files."""
    entries = [member("manifest.json", manifest.to_json())]
    path.write_bytes(archive(*entries, *(member(n, d) for n, d in files.items())))
    return path


def write_mini(path: Path, formats: tuple[str, ...] = ("onnx",), **geometry: int) -> Path:
    """Write a good bundle and return its path."""
    return write_bundle(path, *mini_contents(formats=formats, **geometry))
