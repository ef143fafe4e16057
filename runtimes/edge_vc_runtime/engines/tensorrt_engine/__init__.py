"""ONNX Runtime on an NVIDIA GPU, by its TensorRT and CUDA providers."""
