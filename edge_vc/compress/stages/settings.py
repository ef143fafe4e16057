"""Settings of student, data and export: sections ``[student]``, ``[data]`` and ``[export]``."""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc.settings.field import choice, number
from edge_vc.settings.paths import path_field


@dataclass(frozen=True)
class InitialStudentSettings:
    """The initial student of a compression run."""

    tier: str = choice("base", "wide", "base", "nano", "clear")
    weights: str = path_field("shipped")
    """``shipped`` weights of the tier, ``random`` ones, or the path of a student's file."""
    average_with: str = path_field()
    """File of a second student, fine-tuned from the same one as ``weights``: the mean of both is
    the initial student (model soups, Wortsman et al. 2022). Empty: no second one."""
    lookahead: int = number(0, 0, 8, "hops")
    """Hops of look-ahead, each adding ``hop_ms`` of latency; for weights without look-ahead."""
    lookahead_in: str = choice("", "", "blocks", "first")
    """Which convolutions look ahead: those of the ``blocks`` or only the ``first`` one. Empty: as
    in the weights, ``blocks`` if they are random, ``first`` if they had no look-ahead."""
    thousand_weights: float = number(0.0, 0.0, 20_000.0, "thousand weights")
    """Trunk size to which all widths of a random student are scaled; 0: the tier's own."""
    hop_ms: float = number(10.0, 2.5, 20.0, "ms")
    """Block of audio per run of the graph. The latency is two hops plus look-ahead."""
    sample_rate: int = number(16_000, 8_000, 48_000, "Hz")
    """Rate of the student and its labels; the shipped weights are for 16000 Hz."""
    inputs: str = ""
    """Conditioning inputs to add, as in ``"pitch, intonation, breath"``, which need no training;
    ``style`` needs training."""
    voices: str = ""
    """Names of the voices of an input ``voice``, the default one first; empty: one voice."""
    seed: int = number(0, 0, 2**31 - 1)


@dataclass(frozen=True)
class DataSettings:
    """The speech that the teacher converts, for training and hold-out."""

    corpus: str = path_field()
    """Folder of recordings; empty: speech is synthesised with espeak-ng."""
    labels: str = path_field()
    """Folder written by ``edge-vc label``, instead of a corpus; the teacher is not run."""
    minutes: float = number(30.0, 0.1, 10_000.0, "minutes")
    """Maximum amount of speech used for training, before speed variation."""
    vary: bool = True
    """Also play every recording slower and faster, like larger and smaller speakers."""
    holdout_seconds: float = number(45.0, 5.0, 3_600.0, "s")
    """Held-out speech on which every stage is measured."""
    seed: int = number(0, 0, 2**31 - 1)


@dataclass(frozen=True)
class ExportSettings:
    """Facts that the bundle states about itself.

    The first five are known for the shipped teacher (`SHIPPED_VOICE`); for any other teacher the
    recipe has to state them.
    """

    name: str = ""
    version: str = "0.1.0"
    licence: str = ""
    """SPDX identifier of the voice's licence."""
    consent: str = ""
    """How the owner of the voice agreed."""
    attribution: str = ""
    """Whose recordings the models were trained on."""
    precision: str = choice("both", "both", "fp32", "all")
    """Which graphs go into the bundle; with ``both``, INT8 is the default.

    ``all`` adds a float TFLite file with integer weights (``dynamic-int8``)."""
    formats: str = choice("both", "both", "onnx", "tflite")
    """With both, the board uses the one that runs faster."""
    postfilter: float = number(1.2, 1.0, 2.0, "times")
    """How much the peaks and valleys of the student's filters are enhanced; 1: not at all."""


SHIPPED_VOICE = ExportSettings(
    name="kathleen-base",
    licence="CC0-1.0",
    consent=(
        'The speaker of "Voice Dataset (Kathleen)", Rhasspy project, recorded it on purpose to '
        "become a synthetic voice and released it under CC0 1.0."
    ),
    attribution=(
        'The shipped teacher and students learnt from "Voice Dataset (Kathleen)", Rhasspy project, '
        "CC0 1.0, and from the LibriSpeech ASR corpus (Panayotov, Chen, Povey, Khudanpur 2015, "
        "openslr 12, CC BY 4.0)."
    ),
)
"""Defaults of ``[export]`` for the shipped teacher; they apply to no other voice."""
