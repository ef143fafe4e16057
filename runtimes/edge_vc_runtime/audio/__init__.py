"""Audio in and out: WAV, sources, sinks, resampling."""
