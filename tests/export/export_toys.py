"""A small converter with every kind of state, and helpers to look into what it exports to."""

from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path

import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.nn import Conv, Residual, Serial, State, Stateless, StreamingLayer
from edge_vc.nn.fold import fold_batch_norms, replace_module
from edge_vc.nn.layer import branch, join_state
from edge_vc.nn.quantized_conv import QuantizedConv2d, QuantParams

HOP, RATE, CHANNELS, HIDDEN = 16, 8000, 8, 16


class Head(StreamingLayer):
    """Features to one hop of audio; its first layer is called as a student's is."""

    def __init__(self) -> None:
        super().__init__()
        self.controls = nn.Conv2d(CHANNELS, HOP, 1)

    def init_state(self, batch: int) -> State:
        return {}

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        y = torch.tanh(self.controls(x))
        return y.transpose(1, 3).reshape(x.shape[0], 1, 1, -1), {}


class Toy(StreamingLayer):
    """Front end, depthwise-separable trunk and head, in the shape of a student."""

    def __init__(self) -> None:
        super().__init__()
        self.frontend = Conv(1, CHANNELS, 2 * HOP, stride=HOP)
        self.trunk = Serial(*(self._block(dilation) for dilation in (1, 2)))
        self.head = Head()
        self.block = HOP

    @staticmethod
    def _block(dilation: int) -> Residual:
        return Residual(
            Serial(
                Conv(CHANNELS, CHANNELS, 3, dilation=dilation, groups=CHANNELS, bias=False),
                Stateless(nn.BatchNorm2d(CHANNELS)),
                Conv(CHANNELS, HIDDEN, bias=False),
                Stateless(nn.BatchNorm2d(HIDDEN), nn.ReLU()),
                Conv(HIDDEN, CHANNELS, bias=False),
                Stateless(nn.BatchNorm2d(CHANNELS)),
            ),
            CHANNELS,
        )

    def init_state(self, batch: int) -> State:
        return join_state(
            frontend=self.frontend.init_state(batch), trunk=self.trunk.init_state(batch)
        )

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        mels, frontend = self.frontend.step(x, branch(state, "frontend"))
        features, trunk = self.trunk.step(mels, branch(state, "trunk"))
        audio, _ = self.head.step(features, {})
        return audio, join_state(frontend=frontend, trunk=trunk)


def toy(seed: int = 0) -> Toy:
    """A toy whose batch norms have something to say, some of it negative."""
    torch.manual_seed(seed)
    model = Toy()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 0.0, 1.0)
            nn.init.normal_(module.bias, 0.0, 0.3)
            nn.init.normal_(module.running_mean, 0.0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    return model.eval()


def quantized_toy(seed: int = 0, *, outputs: bool = True) -> Toy:
    """The same toy with fake-quantised 1x1 convolutions; some batch norms are left to the export.

    Without ``outputs`` each block's last convolution gives floats.
    """
    model = toy(seed)
    around, above = QuantParams.spanning(-4.0, 4.0), QuantParams.spanning(0.0, 4.0)
    for block in model.trunk:
        fold_batch_norms(block, [("inner.4.conv", "inner.5.body.0")])
        up, down = block.get_submodule("inner.2"), block.get_submodule("inner.4")
        assert isinstance(up, Conv)
        assert isinstance(down, Conv)
        up.conv = QuantizedConv2d(up.conv, around)
        down.conv = QuantizedConv2d(down.conv, above, around if outputs else None)
    return model


def speech_like(hops: int, seed: int = 0) -> Tensor:
    """Audio ``[1, 1, 1, T]`` of swelling noise."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(hops * HOP, generator=generator)
    swell = torch.sin(torch.arange(hops * HOP) / 400).square()
    return (0.3 * noise * swell).reshape(1, 1, 1, -1)


def operations(path: Path) -> Counter[str]:
    """Count the operations in a graph file."""
    return Counter(node.op_type for node in onnx.load(path).graph.node)


def executed(path: Path, folder: Path) -> Counter[str]:
    """Count the operations that ONNX Runtime executes after its own fusions."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(folder / "optimised.onnx")
    ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return operations(folder / "optimised.onnx")


FACTS = {"hop": HOP, "sample_rate": RATE, "name": "toy", "licence": "CC0-1.0"}


def small_student(seed: int = 0, hop_ms: float = 10, sample_rate: int = 16_000) -> Student:
    """A student of two narrow blocks, its batch norms set by a little noise."""
    torch.manual_seed(seed)
    config = StudentConfig(channels=16, hidden=(24, 24), dilations=(1, 4), outputs=16)
    config = config.at(hop_ms, sample_rate)
    student = Student(config).train()
    with torch.no_grad():
        for _ in range(5):
            student(0.1 * torch.randn(1, 1, 1, 100 * config.hop))
    return student.eval()


def quantized_student(student: Student) -> Student:
    """An INT8 form of `small_student`: its blocks' 1x1 convolutions on grids seen on noise."""
    student = copy.deepcopy(student)
    for block in list(student.trunk)[2:-2]:
        for conv, norm in ((0, "1.body.0"), (2, "3.body.0"), (4, "5.body.0")):
            fold_batch_norms(block, [(f"inner.{conv}.conv", f"inner.{norm}")])
    ranges = _ranges(student)
    for name, (low, high, out_low, out_high) in ranges.items():
        conv = student.trunk.get_submodule(name)
        assert isinstance(conv, nn.Conv2d)
        output = QuantParams.spanning(out_low, out_high) if name.endswith("4.conv") else None
        replace_module(
            student.trunk, name, QuantizedConv2d(conv, QuantParams.spanning(low, high), output)
        )
    return student.eval()


def _ranges(student: Student) -> dict[str, tuple[float, float, float, float]]:
    """Ranges of input and output of the convolutions to quantise, by path in the trunk."""
    found: dict[str, tuple[float, float, float, float]] = {}
    handles = []
    for name, module in student.trunk.named_modules():
        if "inner" in name and isinstance(module, nn.Conv2d) and module.groups == 1:

            def watch(_: nn.Module, x: tuple[Tensor], y: Tensor, name: str = name) -> None:
                found[name] = (*(float(v) for v in (x[0].min(), x[0].max(), y.min(), y.max())),)

            handles.append(module.register_forward_hook(watch))
    with torch.no_grad():
        torch.manual_seed(9)
        student(0.1 * torch.randn(1, 1, 1, 200 * student.config.hop))
    for handle in handles:
        handle.remove()
    return found
