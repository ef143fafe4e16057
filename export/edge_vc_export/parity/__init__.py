"""Checks that PyTorch, ONNX Runtime and LiteRT give the same audio."""
