"""Bundles with right hashes that are made to harm: one of each class, written by the test."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper
from runtime_bundles import archive, listed, member, mini_contents, write_bundle
from runtime_tflite import TfliteWriter

from edge_vc_runtime.bundle.entries import Golden, ModelEntry
from edge_vc_runtime.bundle.manifest import Manifest

HOP = 160
Contents = tuple[Manifest, dict[str, bytes]]


def single(format: str, data: bytes) -> Contents:
    """A bundle of one model without states, and without a golden recording."""
    manifest, _ = mini_contents()
    entry = ModelEntry(f"m.{format}", format, "fp32", "nano", 1, 1.0)
    alone = replace(
        manifest, states=(), models=(entry,), default=entry.file, golden=None, runtimes={}
    )
    files = {entry.file: data}
    return listed(alone, files), files


def onnx_model(nodes: list[Any], constants: list[Any]) -> bytes:
    """A graph of nodes from ``audio`` to ``audio_out``; nobody checks it."""
    value = helper.make_tensor_value_info
    border = [value(name, TensorProto.FLOAT, [1, 1, 1, HOP]) for name in ("audio", "audio_out")]
    graph = helper.make_graph(nodes, "g", border[:1], border[1:], constants)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return bytes(made.SerializeToString())


def external_data() -> Contents:
    tensor = onnx.TensorProto(name="w", dims=[8], data_type=TensorProto.FLOAT)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "secret.txt"), ("offset", "0"), ("length", "32")):
        tensor.external_data.add(key=key, value=value)
    return single(
        "onnx", onnx_model([helper.make_node("Add", ["audio", "w"], ["audio_out"])], [tensor])
    )


def endless_loop() -> Contents:
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["co"]), helper.make_node("Identity", ["x"], ["xo"])],
        "body",
        [value("i", TensorProto.INT64, []), value("c", TensorProto.BOOL, []),
         value("x", TensorProto.FLOAT, [1, 1, 1, HOP])],
        [value("co", TensorProto.BOOL, []), value("xo", TensorProto.FLOAT, [1, 1, 1, HOP])],
    )  # fmt: skip
    constants = [
        helper.make_tensor("trip", TensorProto.INT64, [], [2**62]),
        helper.make_tensor("cond", TensorProto.BOOL, [], [True]),
    ]
    loop = helper.make_node("Loop", ["trip", "cond", "audio"], ["audio_out"], body=body)
    return single("onnx", onnx_model([loop], constants))


def custom_operator() -> Contents:
    node = helper.make_node("Launch", ["audio"], ["audio_out"], domain="evil")
    return single("onnx", onnx_model([node], []))


def index_of_the_input() -> Contents:
    constants = [helper.make_tensor("table", TensorProto.FLOAT, [2], [1.0, 2.0])]
    nodes = [
        helper.make_node("Cast", ["audio"], ["i"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "i"], ["audio_out"]),
    ]
    return single("onnx", onnx_model(nodes, constants))


def huge_kernel() -> Contents:
    """A window of 2^31 samples, at which ONNX Runtime aborts."""
    weight = helper.make_tensor("w", TensorProto.FLOAT, [1, 1, 1, 1], [1.0])
    node = helper.make_node("Conv", ["audio", "w"], ["audio_out"], kernel_shape=[1, 1 << 31])
    return single("onnx", onnx_model([node], [weight]))


def constant_without_values() -> Contents:
    huge = onnx.TensorProto(name="w", dims=[1 << 16, 1 << 13], data_type=TensorProto.FLOAT)
    node = helper.make_node("Add", ["audio", "w"], ["audio_out"])
    return single("onnx", onnx_model([node], [huge]))


def tflite_model(kind: str, inputs: list[str], options: object = None) -> bytes:
    graph = TfliteWriter()
    for name in ("audio", "audio_out"):
        graph.value(name, (1, 1, 1, HOP))
    graph.constant("one", np.ones(1, np.float32))
    graph.operator(kind, inputs, ["audio_out"], options)
    return graph.to_bytes(["audio"], ["audio_out"])


def missing_input() -> Contents:
    return single("tflite", tflite_model("BATCH_MATMUL", ["audio"], schema.BatchMatMulOptionsT()))


def stride_of_zero() -> Contents:
    return single("tflite", tflite_model("MAX_POOL_2D", ["audio"], schema.Pool2DOptionsT()))


def shared_name() -> Contents:
    """One name of a megabyte that thousands of tensors share."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 21)
    name = builder.CreateString("n" * (1 << 20))
    tensors = []
    for _ in range(4000):
        schema.TensorStart(builder)
        schema.TensorAddName(builder, name)
        tensors.append(schema.TensorEnd(builder))
    vectors = []
    for items in (tensors, [_buffer(builder)]):
        builder.StartVector(4, len(items), 4)
        for item in reversed(items):
            builder.PrependUOffsetTRelative(item)
        vectors.append(builder.EndVector())
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, vectors[0])
    graph = schema.SubGraphEnd(builder)
    schema.SignatureDefStart(builder)
    signature = schema.SignatureDefEnd(builder)
    lists = []
    for item in (graph, signature):
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(item)
        lists.append(builder.EndVector())
    schema.ModelStart(builder)
    schema.ModelAddVersion(builder, 3)
    schema.ModelAddSubgraphs(builder, lists[0])
    schema.ModelAddSignatureDefs(builder, lists[1])
    schema.ModelAddBuffers(builder, vectors[1])
    builder.Finish(schema.ModelEnd(builder), b"TFL3")
    return single("tflite", bytes(builder.Output()))


def _buffer(builder: Any) -> int:
    schema.BufferStart(builder)
    return int(schema.BufferEnd(builder))


def golden(data: bytes, **changes: Any) -> Contents:
    manifest, files = mini_contents()
    files["golden.npz"] = data
    return listed(replace(manifest, **changes), files), files


def golden_bomb() -> Contents:
    """Zeros that unpack to 72 MiB."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
        packed.open("input.npy", "w", force_zip64=True) as file,
    ):
        np.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (72 << 18,)}
        )
        for _ in range(72):
            file.write(bytes(1 << 20))
    return golden(out.getvalue())


def golden_of_a_lie() -> Contents:
    """A header that states a million times what follows it."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)}
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("input.npy", header.getvalue() + struct.pack("<f", 0.0))
    return golden(out.getvalue())


def golden_of_nothing() -> Contents:
    """Outputs of a precision that the manifest does not name."""
    out = io.BytesIO()
    wave = np.zeros(1600, np.float32)
    np.savez(out, input=wave, **{"output.fp16": wave})
    return golden(out.getvalue())


def no_tolerance() -> Contents:
    manifest, files = mini_contents()
    return replace(manifest, golden=Golden("golden.npz", {})), files


def anything_goes() -> Contents:
    manifest, files = mini_contents()
    return replace(manifest, golden=Golden("golden.npz", {"fp32": 1e9})), files


def states_of_gigabytes() -> Contents:
    manifest, files = mini_contents()
    states = tuple(replace(state, shape=(1 << 20, 64)) for state in manifest.states)
    return replace(manifest, states=states), files


def forged(field: str, value: Any) -> Callable[[], Contents]:
    def make() -> Contents:
        manifest, files = mini_contents()
        return replace(manifest, **{field: value}), files

    return make


HOSTILE: dict[str, Callable[[], Contents]] = {
    "external data": external_data,
    "endless loop": endless_loop,
    "custom operator": custom_operator,
    "index of the input": index_of_the_input,
    "huge kernel": huge_kernel,
    "constant without values": constant_without_values,
    "missing input": missing_input,
    "stride of zero": stride_of_zero,
    "shared name": shared_name,
    "golden bomb": golden_bomb,
    "golden of a lie": golden_of_a_lie,
    "golden of nothing": golden_of_nothing,
    "no tolerance": no_tolerance,
    "anything goes": anything_goes,
    "states of gigabytes": states_of_gigabytes,
    "forged metric": forged("metrics", {"\x1b[31mfoo\nengine: forged line": 1.0}),
    "forged consent": forged("consent", "given\x9b2J"),
    "forged board": forged("boards", ("pi4\nengine: forged line",)),
    "forged licence": forged("licence", "CC0\u202e"),
    "deep provenance": forged("provenance", {"deep": json.loads("[" * 90 + "]" * 90)}),
}
"""What makes each, by its class."""


def write_hostile(path: Path, name: str) -> Path:
    """Write one of them with hashes that are right."""
    return write_bundle(path, *HOSTILE[name]())


def write_manifest(path: Path, change: Callable[[bytes], bytes]) -> Path:
    """Write a good bundle whose manifest's text was changed, with a digest that is right again."""
    manifest, files = mini_contents()
    document = json.loads(manifest.to_json())
    document["digest"] = "0" * 64
    blank = change(json.dumps(document).encode())
    text = blank.replace(b"0" * 64, hashlib.sha256(blank).hexdigest().encode(), 1)
    entries = [member("manifest.json", text), *(member(n, d) for n, d in files.items())]
    path.write_bytes(archive(*entries))
    return path
