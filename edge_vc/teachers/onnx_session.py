"""Opens a teacher's ONNX graphs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge_vc.settings.field import is_text
from edge_vc.teachers.spec import TeacherError
from edge_vc_runtime.engines.onnx_engine.saturation import kernels_saturate

if TYPE_CHECKING:
    from edge_vc_runtime.engines.onnx_engine.library import ort

GIT_LFS = b"version https://git-lfs"


def session_options(threads: int) -> ort.SessionOptions:
    """Return the options for a teacher's graph: on the CPU, with exact INT8."""
    from edge_vc_runtime.engines.onnx_engine.library import ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    if kernels_saturate():
        # INT8 graphs are computed in float, which is exact; x86 without VNNI would saturate.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    return options


def check_pointer(path: Path) -> None:
    """Raise `TeacherError` for the text that Git LFS leaves in place of a file."""
    with path.open("rb") as file:
        if file.read(len(GIT_LFS)) == GIT_LFS:
            raise TeacherError(
                f"{path}: is a Git LFS pointer, not the graph: run git lfs pull where it is from"
            )


def open_session(path: Path, threads: int) -> ort.InferenceSession:
    """Open the graph in a file; raises `TeacherError` if the file contains none."""
    from edge_vc_runtime.engines.onnx_engine.library import ort

    check_pointer(path)
    options = session_options(threads)
    try:
        # Paths must be UTF-8; a file with another name is loaded without external weights.
        graph: str | bytes = str(path) if is_text(str(path)) else path.read_bytes()
        return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime exports no common base class of its errors.
        fact = str(error).splitlines()[0]
        raise TeacherError(f"{path}: onnxruntime cannot load it: {fact}") from error
