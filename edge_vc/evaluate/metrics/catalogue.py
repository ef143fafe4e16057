"""What is measured of a system: keys, names, directions and where each comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One figure of a table."""

    key: str
    """Field of `edge_vc.evaluate.report.report.Score` or of `Closeness`."""
    title: str
    unit: str
    better: int
    """1 where more is better, -1 where less is, 0 where neither: nearer to zero."""
    digits: int
    says: str
    """What it is, in a sentence, with the paper that it follows."""


MEASURES = (
    Measure("similarity", "similarity", "", 1, 3,
            "Cosine of Resemblyzer embeddings to the centroid of held-out sentences of the target; "
            "1 is the same voice (Wan et al. 2018)."),
    Measure("word_error_rate", "WER", "", -1, 3,
            "Words that PocketSphinx gets wrong, with a language model of the evaluation's own "
            "sentences."),
    Measure("word_error_ratio", "WER / source", "", -1, 2,
            "The word error rate over that of the recordings that were converted."),
    Measure("character_error_rate", "CER", "", -1, 3,
            "Characters that PocketSphinx gets wrong."),
    Measure("character_error_ratio", "CER / source", "", -1, 2,
            "The character error rate over that of the recordings that were converted."),
    Measure("dnsmos", "DNSMOS", "", 1, 2,
            "Overall quality from 1 to 5 as listeners would judge it (Reddy et al. 2022)."),
    Measure("dnsmos_signal", "SIG", "", 1, 2, "DNSMOS of the speech itself."),
    Measure("dnsmos_background", "BAK", "", 1, 2, "DNSMOS of what lies behind the speech."),
    Measure("f0_correlation", "F0 corr.", "", 1, 3,
            "Correlation of log F0 with that of the source, over frames voiced in both "
            "(Hermes 1998)."),
    Measure("f0_error", "F0 error", "%", -1, 1,
            "How far a sentence's median F0 is from the target's median, either way."),
    Measure("f0_shift", "F0 shift", "%", 0, 1,
            "The same with its sign: above or below the target on average."),
    Measure("mcd_db", "MCD", "dB", -1, 2,
            "Mel-cepstral distortion from the target's own reading of the sentence, "
            "frames aligned by dynamic time warping (Kubichek 1993)."),
)  # fmt: skip
"""Of a system, in the order of the tables."""

CLOSENESS = (
    Measure("stoi", "STOI", "", 1, 3,
            "Short-time objective intelligibility of one against the other (Taal et al. 2011)."),
    Measure("pesq", "PESQ", "", 1, 2,
            "Wide-band perceptual quality of one against the other, 1 to 4.6 (ITU-T P.862.2)."),
    Measure("snr_db", "SNR", "dB", 1, 1,
            "Power of the reference over that of the difference; two voices of different phase "
            "differ by about 0 dB even when they sound alike."),
    Measure("lsd_db", "LSD", "dB", -1, 2,
            "Log-spectral distance (Gray and Markel 1976)."),
)  # fmt: skip
"""Of one system against another."""
