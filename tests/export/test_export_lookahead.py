"""Students that wait: streaming, offline, ONNX and TFLite agree wherever they look ahead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from export_toys import quantized_student, small_student

from edge_vc.models.student.student import Student
from edge_vc_export.onnx.export import export_onnx
from edge_vc_export.parity.cross_format import check_cross_format
from edge_vc_export.parity.fp32 import check_fp32
from edge_vc_export.parity.speech import example_speech
from edge_vc_export.tflite.export import export_tflite

WAITS = [(1, "blocks"), (3, "blocks"), (7, "blocks"), (3, "first")]


def waiting(lookahead: int, where: str) -> Student:
    """`small_student`, drawn again with a look-ahead."""
    torch.manual_seed(0)
    config = small_student().config
    config = replace(config, lookahead=lookahead, lookahead_in=where)
    student = Student(config).train()
    with torch.no_grad():
        for _ in range(5):
            student(0.1 * torch.randn(1, 1, 1, 100 * config.hop))
    return student.eval()


@pytest.mark.parametrize(("lookahead", "where"), WAITS)
def test_both_formats_say_what_the_student_says(lookahead: int, where: str, tmp_path: Path) -> None:
    student = waiting(lookahead, where)
    config, speech = student.config, example_speech(1.0, 16_000)
    assert student.delay == config.hop * (1 + lookahead)
    facts = {"hop": config.hop, "sample_rate": 16_000, "name": "small", "licence": "CC0-1.0"}
    formats = {"onnx": export_onnx, "tflite": export_tflite}
    for name, export in formats.items():
        path = export(student, tmp_path / f"fp32.{name}", precision="fp32", **facts)
        parity = check_fp32(student, path, speech)
        assert max(parity.streaming, parity.offline) <= 1e-5
    integers = quantized_student(student)
    onnx, tflite = (
        export(integers, tmp_path / f"int8.{name}", precision="int8", **facts)
        for name, export in formats.items()
    )
    agreement = check_cross_format(onnx, tflite, speech)
    assert agreement.trunk_snr_db >= 40
