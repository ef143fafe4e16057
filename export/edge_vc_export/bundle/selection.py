"""Selection of the files that an export writes: formats and precisions."""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc_export.formats import DYNAMIC, FORMATS, PRECISIONS, FormatError, check_formats

DEFAULT_PRECISIONS = ("int8", "fp32")


@dataclass(frozen=True)
class Selection:
    """Formats and precisions to write."""

    formats: tuple[str, ...] = FORMATS
    precisions: tuple[str, ...] = DEFAULT_PRECISIONS

    def check_names(self) -> None:
        """Raise `FormatError` for unknown names and for formats that are not installed."""
        check_formats(self.formats)
        for name in self.precisions:
            if name not in PRECISIONS:
                raise FormatError(f"no precision {name!r}: choose from {', '.join(PRECISIONS)}")
        if not self.precisions:
            raise FormatError(f"no precision to write: give one or more of {', '.join(PRECISIONS)}")
        if DYNAMIC in self.precisions and "tflite" not in self.formats:
            raise FormatError(f"{DYNAMIC} is written as TFLite only: add tflite to the formats")

    def check(self, quantized: bool) -> None:
        """Raise `FormatError` for a selection that cannot be written, before any work is done.

        ``quantized`` tells whether there is an INT8 student to write.
        """
        self.check_names()
        if self.precisions == ("int8",) and not quantized:
            raise FormatError("there is no INT8 student here: quantise it, or write fp32")

    def compares(self, precision: str, format: str) -> bool:
        """Return whether other files are verified against this one, even if it is not written.

        INT8 files are verified against the float file of their format, TFLite files against ONNX.
        """
        if precision == "fp32":
            return format == "onnx" or format in self.formats
        return format == "onnx" and precision != DYNAMIC

    def has(self, precision: str, format: str) -> bool:
        """Return whether a file is to be written."""
        written = format in self.formats and precision in self.precisions
        return written and (precision != DYNAMIC or format == "tflite")
