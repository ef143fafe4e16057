"""ONNX Runtime on an NVIDIA GPU, with its TensorRT and CUDA providers."""
