"""TFLite files straight from the graphs that are exported to ONNX.

The same cleaned graph becomes both formats, so both hold the same layers, the same integers and
the same scales; see ``docs/decisions/0004-tflite-writer.md``. Needs the extra `tflite`.
"""

from edge_vc_export.tflite.export import convert_onnx, export_tflite

__all__ = ["convert_onnx", "export_tflite"]
