"""The file formats that a student is exported to, and the packages that each of them needs."""

from __future__ import annotations

from importlib import import_module

from edge_vc_export.errors import ExportError

FORMATS = ("onnx", "tflite")
"""By default a bundle contains both, and the board chooses."""
DYNAMIC = "dynamic-int8"
"""A precision only of TFLite: ONNX Runtime runs such graphs slower than float."""
PRECISIONS = ("int8", "fp32", DYNAMIC)
"""Precisions in the order in which a bundle lists them; the last is optional."""
_NEEDS = {"onnx": (), "tflite": ("flatbuffers", "ai_edge_litert.schema_py_generated")}


class FormatError(ExportError):
    """A format that cannot be written here; a one-line message with the remedy."""


class UnsupportedLayerError(FormatError):
    """A layer that a format does not support; one line with layer, format and remedy."""


class UnsupportedOperationError(FormatError):
    """An operation that a format does not support in this form; `in_layer` adds the layer."""

    def __init__(self, fact: str) -> None:
        """Take a one-line message, to which the remedy is appended."""
        super().__init__(f"{fact}; use a layer of edge_vc.nn in its place")

    def in_layer(self, path: str) -> UnsupportedLayerError:
        """Return an error that also names the layer ``path``."""
        return UnsupportedLayerError(f"layer {path}: {self}")


def check_formats(formats: tuple[str, ...]) -> None:
    """Raise `FormatError` for an unknown format, or one whose packages are not installed."""
    if not formats:
        raise FormatError(f"no format to write: give one or more of {', '.join(FORMATS)}")
    for name in formats:
        if name not in FORMATS:
            raise FormatError(f"no format {name!r}: choose from {', '.join(FORMATS)}")
        for module in _NEEDS[name]:
            try:
                import_module(module)
            except ModuleNotFoundError as error:
                raise FormatError(
                    f"{name} files need {error.name}, which is not installed: "
                    f"pip install edge-vc, or leave {name} out of the formats"
                ) from error
