"""A ``torch.export`` program as a teacher."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.settings.field import choice, number
from edge_vc.settings.paths import path_field
from edge_vc.teachers.kind import TeacherKind
from edge_vc.teachers.module import first_tensor, usable
from edge_vc.teachers.spec import TeacherError, WaveformSpec, given_file
from edge_vc.teachers.waveform_teacher import WaveformTeacher

if TYPE_CHECKING:
    from torch.export import ExportedProgram


@dataclass(frozen=True)
class ProgramSpec(WaveformSpec):
    """A ``torch.export`` program."""

    kind: str = choice("program", "program")
    path: str = path_field(needed=True, example="teacher.pt2", suffixes=(".pt2",))
    """A ``.pt2`` file with one audio input; if its length is fixed, it is run in windows."""
    multiple: int = number(1, 1, 10_000_000, "samples")
    """The input is padded with silence to a multiple of this."""
    device: str = choice("cpu", "cpu", "cuda")
    passing: ClassVar[tuple[str, ...]] = ("device",)


def load(spec: ProgramSpec) -> WaveformTeacher:
    """Check the archive, load it and wrap it; raises `TeacherError`."""
    import torch

    path = given_file(spec, "path")
    program = _load_program(path)
    shape = _input_shape(path, program)
    # Guards are Python text in the file; without them, torch's operators still check shapes.
    module = usable(program.module(check_guards=False), spec.device)

    def call(audio: Samples) -> NDArray[np.generic]:
        given = torch.from_numpy(audio).reshape((1,) * (len(shape) - 1) + (-1,))
        with torch.no_grad():
            return first_tensor(module(given.to(spec.device))).cpu().numpy()

    window = shape[-1] if isinstance(shape[-1], int) else 0
    return WaveformTeacher(
        call, spec.sample_rate, spec.output_sample_rate, window=window, multiple=spec.multiple
    )


def sources(spec: ProgramSpec) -> list[Path]:
    """Return the program's file."""
    return [given_file(spec, "path")]


def _load_program(path: Path) -> ExportedProgram:
    import torch

    from edge_vc.teachers.program_archive import read_archive

    content = read_archive(path)
    try:
        return torch.export.load(content)
    except Exception as error:
        # A damaged file fails anywhere inside torch, with any type of error.
        fact = (str(error).splitlines() or [type(error).__name__])[0]
        raise TeacherError(f"{path}: torch cannot load it: {fact}") from error


def _input_shape(path: Path, program: ExportedProgram) -> tuple[Any, ...]:
    """Return the shape of the only input, ``[1, ..., T]``; ``T`` is symbolic if it is free."""
    import torch

    names = program.graph_signature.user_inputs
    values = [
        node.meta["val"]
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in names
    ]
    if len(values) != 1 or not isinstance(values[0], torch.Tensor):
        raise TeacherError(f"{path}: takes {len(values)} inputs ({names}); one of audio is needed")
    shape: tuple[Any, ...] = tuple(values[0].shape)
    leading = [size for size in shape[:-1] if isinstance(size, int) and size != 1]
    if values[0].dtype != torch.float32 or not 1 <= len(shape) <= 4 or leading:
        raise TeacherError(
            f"{path}: takes {values[0].dtype} {list(shape)}; float32 [T], [1, T] or [1, 1, T] "
            "is needed"
        )
    return shape


KIND = TeacherKind(ProgramSpec, load, sources)
