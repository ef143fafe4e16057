"""Streaming ONNX graphs: export, clean-up, QDQ."""
