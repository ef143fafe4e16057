"""How a teacher's ONNX graphs are opened."""

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
    """Return how a teacher's graph is run: on the CPU, INT8 exactly."""
    from edge_vc_runtime.engines.onnx_engine.library import ort

    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    if kernels_saturate():
        # INT8 graphs are computed in float, which is exact; x86 without VNNI would clip.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    return options


def check_pointer(path: Path) -> None:
    """Raise `TeacherError` for the text that Git LFS leaves in the place of a file."""
    with path.open("rb") as file:
        if file.read(len(GIT_LFS)) == GIT_LFS:
            raise TeacherError(
                f"{path}: is a Git LFS pointer, not the graph: run git lfs pull where it is from"
            )


def open_session(path: Path, threads: int) -> ort.InferenceSession:
    """Open the graph of a file; raises `TeacherError` where it is none."""
    from edge_vc_runtime.engines.onnx_engine.library import ort

    check_pointer(path)
    options = session_options(threads)
    try:
        # It takes UTF-8 alone as a path; a name of other bytes goes without external weights.
        graph: str | bytes = str(path) if is_text(str(path)) else path.read_bytes()
        return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # onnxruntime's errors share no class that it exports.
        fact = str(error).splitlines()[0]
        raise TeacherError(f"{path}: onnxruntime cannot load it: {fact}") from error
