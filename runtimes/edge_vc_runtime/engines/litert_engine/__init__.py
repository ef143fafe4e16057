"""LiteRT (and tflite-runtime): INT8 and float TFLite graphs, run by XNNPACK."""
