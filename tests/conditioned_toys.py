"""A small student with every kind of conditioning input, none of its weights zero."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.inputs import (
    BREATH,
    INTONATION,
    PITCH,
    STYLE,
    stream_input,
    voice_input,
)
from edge_vc.models.student.student import Student
from edge_vc_export.bundle.facts import BundleFacts
from edge_vc_export.bundle.model_file import ModelFile
from edge_vc_export.bundle.writer import write_bundle
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.tflite import export_tflite

INPUTS = (
    voice_input(["kathleen", "flemishguy"]),
    STYLE,
    PITCH,
    INTONATION,
    BREATH,
    stream_input("phones", 5, "phones of the script"),
)
SMALL = StudentConfig(channels=16, hidden=(24, 16), dilations=(1, 2), mels=20, outputs=12, bands=10)


def conditioned_student() -> Student:
    torch.manual_seed(3)
    student = Student(StudentConfig.from_dict(SMALL.to_dict() | {"inputs": INPUTS})).eval()
    for module in student.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
    assert student.modulation is not None
    nn.init.normal_(student.modulation.linear.weight, std=0.2)
    assert student.voice_phase is not None
    nn.init.normal_(student.voice_phase, std=0.2)
    nn.init.normal_(student.pitch[0].conv.weight, std=0.05)
    return student


def write_graphs(student: Student, folder: Path, precision: str = "fp32") -> tuple[Path, Path]:
    settings = {"hop": 160, "sample_rate": 16000, "name": "toy", "licence": "CC0-1.0"}
    return (
        export_onnx(student, folder / f"{precision}.onnx", precision=precision, **settings),
        export_tflite(student, folder / f"{precision}.tflite", precision=precision, **settings),
    )


def write_conditioned(student: Student, folder: Path) -> Path:
    """A bundle of both formats in fp32."""
    graphs = [ModelFile(path, "nano", 1, 1.0) for path in write_graphs(student, folder)]
    facts = BundleFacts("toy", "0.1.0", "CC0-1.0", "Nobody's voice.", "")
    return write_bundle(folder / "toy.evc", facts, graphs)
