"""INT8 for the trunk: calibration, post-training quantisation, quantisation-aware training."""
