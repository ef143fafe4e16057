"""From a trained student to files a board can run: ONNX, parity checks and the bundle writer."""
