"""Write TFLite files directly from the graphs that are exported to ONNX.

Both formats are written from the same cleaned graph, so they have the same layers, integers and
scales; see ``docs/decisions/0004-tflite-writer.md``. Needs the extra `tflite`.
"""

from edge_vc_export.tflite.export import convert_onnx, export_tflite

__all__ = ["convert_onnx", "export_tflite"]
