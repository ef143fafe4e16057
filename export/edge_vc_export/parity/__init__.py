"""Checks that PyTorch, ONNX Runtime and LiteRT produce the same audio."""
