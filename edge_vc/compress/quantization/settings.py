"""Quantisation of a student: the recipe's section ``[quantize]``."""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc.settings.field import number


@dataclass(frozen=True)
class QuantizeSettings:
    """INT8 for the trunk: calibration, then quantisation-aware training (QAT)."""

    enabled: bool = True
    calibration_seconds: float = number(30.0, 1.0, 3_600.0, "s")
    """Speech streamed through the student to determine the ranges."""
    bias_correction: bool = False
    """NNCF's bias correction; it cost 0.4 dB on the wide student."""
    qat_steps: int = number(200, 0, 1_000_000, "steps")
    """Steps of quantisation-aware training; 0 skips it."""
    qat_batch: int = number(4, 1, 1_024, "segments")
    qat_segment_seconds: float = number(1.0, 0.1, 30.0, "s")
    qat_learning_rate: float = number(2e-5, 1e-8, 1e-3)
    """Initial learning rate; decays along half a cosine."""
    qat_clip: float = number(1.0, 1e-3, 1e3)
    """Maximum norm of the gradient."""
    seed: int = number(0, 0, 2**31 - 1)
    min_snr_db: float = number(25.0, 0.0, 100.0, "dB", limits="trunk_snr_db", sense="min")
    """The run stops if the signal-to-noise ratio of the trunk's outputs is lower."""
    max_lsd_db: float = number(1.0, 0.01, 60.0, "dB", limits="lsd_db")
    """The run stops if the waveform's log-spectral distance to the float one is larger."""
    max_drift_db: float = number(1.5, 0.1, 60.0, "dB", limits="drift_db")
    """The run stops if the SNR falls by more from the first ten seconds to the last ten."""
