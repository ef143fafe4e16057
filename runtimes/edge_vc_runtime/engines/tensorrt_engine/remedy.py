"""The engine's name, and what to do if it is missing."""

from __future__ import annotations

NAME = "tensorrt"
REMEDY = "install onnxruntime-gpu from NVIDIA's index for your JetPack, in place of onnxruntime"
