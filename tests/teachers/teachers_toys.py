"""Converters small enough for tests, in every form that a teacher can have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import soundfile
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper
from torch import Tensor, nn
from voices import RATE, voice

Audio = NDArray[np.float32]

FACTORY = '''
import torch
from torch import nn


class Darker(nn.Module):
    """A low-pass of three taps."""

    def __init__(self):
        super().__init__()
        self.filter = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, audio):
        if audio.shape[-1] % 320:
            raise ValueError(f"{audio.shape[-1]} samples are not whole frames")
        return self.filter(audio[:, None])[:, 0]


def make_teacher():
    return Darker()


def make_number():
    return 5


def make_trouble():
    raise OSError("no such disk")
'''

CONVERTER = """
import sys
import soundfile

audio, rate = soundfile.read(sys.argv[1], dtype="float32")
soundfile.write(sys.argv[2], 0.5 * audio, rate)
"""


class Darker(nn.Module):
    """What `FACTORY` makes, without its check."""

    def __init__(self, gain: float = 0.5) -> None:
        super().__init__()
        self.filter = nn.Conv1d(1, 1, 3, padding=1, bias=False)
        self.filter.weight.data = gain * torch.tensor([[[0.25, 0.5, 0.25]]])

    def forward(self, audio: Tensor) -> Tensor:
        return self.filter(audio[:, None])[:, 0]


def darker(audio: Audio, gain: float = 0.5) -> Audio:
    """The same in numpy."""
    return np.convolve(audio, gain * np.array([0.25, 0.5, 0.25]), "same").astype(np.float32)


def record_pairs(folder: Path, count: int = 3, seconds: float = 2.0) -> Path:
    """The same in LLVC's layout, with their conversions."""
    for part in ("train", "val", "dev"):
        (folder / part).mkdir(parents=True)
    for seed in range(count):
        audio = voice(seconds + 0.1 * seed, 100.0 + 20 * seed, seed)
        stem = folder / ("train", "val", "dev")[seed % 3] / f"{seed:02d}"
        soundfile.write(f"{stem}_original.wav", audio, RATE)
        soundfile.write(f"{stem}_converted.wav", darker(audio), RATE)
    return folder


def save_graph(
    path: Path, nodes: list, inputs: dict[str, list], outputs: dict[str, list], **tensors: Audio
) -> Path:
    """An ONNX file of float tensors."""
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in outputs.items()],
        [onnx.numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def save_halver(path: Path, shape: list, gain: float = 0.5) -> Path:
    """Halves audio of a shape such as ``[1, "T"]``."""
    node = helper.make_node("Mul", ["audio", "half"], ["output"])
    half = np.array(gain, np.float32)
    return save_graph(path, [node], {"audio": shape}, {"output": shape}, half=half)


def save_late_stream(path: Path, hop: int = 160, shape: list | None = None) -> Path:
    """Answers with the hop before, halved: one hop late."""
    nodes = [
        helper.make_node("Mul", ["memory", "half"], ["output"]),
        helper.make_node("Identity", ["audio"], ["memory_out"]),
    ]
    shape = shape or [1, hop]
    return save_graph(
        path,
        nodes,
        {"audio": shape, "memory": shape},
        {"output": shape, "memory_out": shape},
        half=np.array(0.5, np.float32),
    )


def save_program(path: Path, samples: int | None = None) -> Path:
    """A ``.pt2`` of `Darker`, for any length or for one."""
    dynamic = {"audio": {1: torch.export.Dim("T", min=160, max=2**22)}} if not samples else None
    example = (torch.zeros(1, samples or 16000),)
    program = torch.export.export(Darker().eval(), example, dynamic_shapes=dynamic)
    torch.export.save(program, path)
    return path
