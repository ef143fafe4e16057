"""A student as one file: safetensors with its configuration as metadata; no code, no pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save
from torch import Tensor, nn

from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.student import Student
from edge_vc.models.weights_file import opened_weights
from edge_vc.nn.fold import replace_module
from edge_vc.nn.quantized_conv import QuantizedConv2d, QuantParams
from edge_vc_runtime.files.writing import write_whole

FORMAT = "edge-vc student 1"
METADATA = "student"
"""The only key of the file's metadata: several would not keep their order in the file."""


class StudentFileError(ValueError):
    """A student file that cannot be used; the message is one line with the file and the fact."""


def save_student(
    student: Student, path: Path, facts: Mapping[str, str] | None = None, *, half: bool = False
) -> Path:
    """Write a student, float or quantised, with free-form ``facts`` about it.

    The same student gives the same bytes. ``half`` stores floats as float16, in half the size, for
    a student that is trained further.
    """
    said = {"format": FORMAT, "config": student.config.to_dict(), "facts": dict(facts or {})}
    tensors = {
        name: (value.half() if half and value.is_floating_point() else value).contiguous()
        for name, value in student.state_dict().items()
    }
    return write_whole(path, save(tensors, {METADATA: json.dumps(said, sort_keys=True)}))


def load_student(path: Path) -> Student:
    """Read what `save_student` wrote, ready to convert (``eval`` mode).

    Folded batch norms and quantised convolutions are recognised by the names of the tensors.
    Raises `StudentFileError` for a file that is missing, damaged or of another kind.
    """
    tensors, said = _read(path)
    try:
        student = Student(StudentConfig.from_dict(said["config"]))
        _take_form(student, tensors)
        student.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        fact = str(error).splitlines()[0]
        raise StudentFileError(f"{path}: not a student that this version knows: {fact}") from error
    return student.eval()


def student_facts(path: Path) -> dict[str, str]:
    """Return the ``facts`` that a student was saved with; raises `StudentFileError`."""
    facts: dict[str, str] = _read(path)[1]["facts"]
    return facts


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not path.is_file():
        raise StudentFileError(f"{path}: no such file")
    try:
        with opened_weights(path) as file:
            names = file.keys()
            tensors = {name: _single(file.get_tensor(name)) for name in names}
            said = json.loads((file.metadata() or {}).get(METADATA, "{}"))
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        raise StudentFileError(f"{path}: not readable as safetensors: {error}") from error
    if said.get("format") != FORMAT:
        raise StudentFileError(f"{path}: format is {said.get('format')!r}, not {FORMAT!r}")
    return tensors, said


def _single(value: Tensor) -> Tensor:
    return value.float() if value.dtype == torch.float16 else value


def _take_form(student: Student, tensors: Mapping[str, Tensor]) -> None:
    """Fold and quantise a new student's modules until their tensors have the given names."""
    for name, module in list(student.named_modules()):
        if isinstance(module, nn.BatchNorm2d) and f"{name}.weight" not in tensors:
            replace_module(student, name, nn.Identity())
        elif isinstance(module, nn.Conv2d):
            if f"{name}.bias" in tensors and module.bias is None:
                module.bias = nn.Parameter(torch.zeros(module.out_channels))
            if f"{name}.weight_scale" in tensors:
                output = QuantParams(1.0, 0) if f"{name}.output_scale" in tensors else None
                replace_module(student, name, QuantizedConv2d(module, QuantParams(1.0, 0), output))
