"""Export a trained student to files for boards: ONNX, TFLite, parity checks, bundle writer."""
