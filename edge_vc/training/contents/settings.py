"""Settings for distilling a content encoder."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_vc.augmentation.acoustic_augment import AcousticAugment, Range
from edge_vc.models.content.distilled import DistilledConfig
from edge_vc.settings.field import RecipeError

SPEEDS: Range = (0.7, 1.4)
"""Limits of `ContentsSettings.speeds`: no speaker sounds like speech played beyond them."""


@dataclass(frozen=True)
class ContentsSettings:
    """Everything except the budget."""

    teacher: str = "whisper"
    """The encoder to imitate: a name in `edge_vc.models.content.registry`."""
    network: DistilledConfig = field(default_factory=DistilledConfig)
    speeds: tuple[float, ...] = (1.0, 0.9, 1.1)
    """Speeds at which every recording is encoded: larger and smaller people."""
    heard: AcousticAugment = field(
        default_factory=lambda: AcousticAugment(0.4, 0.8, (3.0, 30.0), 0.2, (0.0, 20.0))
    )
    """Reverberation, noise and loud transients on the input; the target is that of clean audio."""
    disturbed_share: float = 0.5
    """Share of the crops whose input is augmented in this way."""
    dropped: float = 0.05
    """Share of the input features that are set to zero."""
    crops: int = 12
    """Crops per step."""
    frames: int = 160
    """Length of a crop; a frame is 20 ms."""
    peak_rate: float = 2e-3
    average_decay: float = 0.998
    held_out: float = 0.1
    """Share of the speakers, chosen by the hash of their names, held out for validation."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise `RecipeError` if nothing can be drawn."""
        if not self.speeds or not all(SPEEDS[0] <= speed <= SPEEDS[1] for speed in self.speeds):
            raise RecipeError(f"speeds = {list(self.speeds)}: must be within {list(SPEEDS)}")
        for name in ("disturbed_share", "dropped", "held_out"):
            if not 0 <= getattr(self, name) < 1:
                raise RecipeError(f"{name} = {getattr(self, name)}: must be within 0..1")
        if min(self.crops, self.frames) < 1:
            raise RecipeError("crops and frames must be 1 or more")
