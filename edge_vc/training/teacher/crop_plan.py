"""How each crop of a step is augmented: drawn by seed, step and row, the same on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from edge_vc.training.teacher.input_settings import InputSettings
from edge_vc.training.teacher.speech_bank import SpeechBank

KINDS = ("own", "others", "unpaired")
KNOTS = 6
"""Of the smooth curve over the bands."""
LONGEST_OFFSET = 1 << 20


@dataclass(frozen=True)
class CropPlan:
    """``B`` crops; every field is ``[B]`` but `equaliser`, ``[B, KNOTS]``."""

    speaker: Tensor
    place: Tensor
    """First frame of the crop in the bank."""
    variant: Tensor
    """Index of the stored input."""
    voice_perturbed: Tensor
    """1 where the vocoder gives it another voice, else 0."""
    median_hz: Tensor
    f0_range: Tensor
    warp: Tensor
    breath_hz: Tensor
    mel_warp: Tensor
    """Natural logarithm of the warp of mel bands."""
    level: Tensor
    room: Tensor
    """Room to use as a fraction of all, in [0, 1); 1 and more: none."""
    noise: Tensor
    """The same for noises."""
    snr_db: Tensor
    offset: Tensor
    """First sample to use of the noise, and of the white noise."""
    equaliser: Tensor
    expansion: Tensor
    """Ratio of the downward expander."""
    mean_frames: Tensor
    """Frames around the middle of the crop that the channel mean is taken over."""


def draw_plan(
    bank: SpeechBank,
    settings: InputSettings,
    rows: Sequence[tuple[str, int]],
    frames: int,
    seed: Sequence[int],
) -> CropPlan:
    """Draw the plan of ``rows``, each a kind and a number; ``seed`` tells steps and views apart.

    A row's draw depends on nothing but its name and the seed, so processes can share a step.
    The place of a crop depends on the seed's first two numbers alone: views show the same crop.
    """
    drawn = [_row(bank, settings, kind, number, frames, seed) for kind, number in rows]
    columns = {
        name: torch.from_numpy(np.array([row[name] for row in drawn])).to(bank.device)
        for name in drawn[0]
    }
    return CropPlan(**columns)


def _row(
    bank: SpeechBank,
    settings: InputSettings,
    kind: str,
    number: int,
    frames: int,
    seed: Sequence[int],
) -> dict[str, object]:
    where = np.random.default_rng([*seed[:2], KINDS.index(kind), number])
    speaker = _speaker(bank, kind, frames, where)
    place = int(where.integers(bank.starts[speaker], bank.ends[speaker] - frames + 1))
    rng = np.random.default_rng([*seed, KINDS.index(kind), number, 7])
    voice = _voice(bank, settings, speaker, rng, natural=kind == "unpaired")
    return {"speaker": speaker, "place": place} | voice | _channel(settings, rng)


def _voice(
    bank: SpeechBank,
    settings: InputSettings,
    speaker: int,
    rng: np.random.Generator,
    *,
    natural: bool,
) -> dict[str, object]:
    """Draw the stored variant or the voice that the vocoder makes; none of both if ``natural``."""
    perturbed = rng.random() < settings.voice_perturb_share and not natural
    variant = int(rng.integers(bank.variants))
    variant = 0 if natural or perturbed else variant
    median = float(np.exp(rng.uniform(*np.log(settings.f0_hz))))
    slope = settings.warp_slope * (np.log(median) - float(bank.mean_log_f0[speaker]))
    warp = float(np.clip(np.exp(rng.normal(slope, settings.warp_spread)), *settings.warp))
    plain = variant == 0 and not perturbed and not natural
    spread = settings.mel_warp_natural if plain else settings.mel_warp
    return {
        "variant": variant,
        "voice_perturbed": np.float32(perturbed),
        "median_hz": np.float32(median),
        "f0_range": np.float32(rng.uniform(*settings.f0_range)),
        "warp": np.float32(warp),
        "breath_hz": np.float32(rng.uniform(*settings.breath_hz)),
        "mel_warp": np.float32(rng.normal(0.0, spread)),
    }


def _channel(settings: InputSettings, rng: np.random.Generator) -> dict[str, object]:
    """Draw level, room, noise and microphone."""
    f32 = np.float32
    return {
        "level": f32(rng.normal(0.0, settings.level)),
        "room": f32(rng.random() / max(settings.room_share, 1e-9)),
        "noise": f32(rng.random() / max(settings.noise_share, 1e-9)),
        "snr_db": f32(rng.uniform(*settings.snr_db)),
        "offset": int(rng.integers(LONGEST_OFFSET)),
        "equaliser": rng.normal(0.0, settings.equaliser, KNOTS).astype(f32),
        "mean_frames": f32(_log_uniform(settings.fewest_mean_frames, settings.mean_frames, rng)),
        "expansion": f32(_log_uniform(*settings.expansion, rng)),
    }


def _speaker(bank: SpeechBank, kind: str, frames: int, rng: np.random.Generator) -> int:
    """Return 0 for ``own``, else one of the others with a probability of their share of speech."""
    lengths = bank.ends - bank.starts
    if kind == "own" or len(lengths) == 1:
        return 0
    weights = np.where(lengths >= frames, lengths, 0).astype(np.float64)
    weights[0] = 0
    total = weights.sum()
    return int(rng.choice(len(weights), p=weights / total)) if total else 0


def _log_uniform(low: float, high: float, rng: np.random.Generator) -> float:
    """Draw from ``low`` to ``high``; ``high`` where it is the lower one."""
    low = min(low, high)
    return float(low * (high / low) ** rng.random())
