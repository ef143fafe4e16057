"""What the engine is called, and what to do where it is missing."""

from __future__ import annotations

NAME = "tensorrt"
REMEDY = "install onnxruntime-gpu from NVIDIA's index for your JetPack, in place of onnxruntime"
