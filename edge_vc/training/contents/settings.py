"""How a content encoder is distilled."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_vc.augmentation.acoustic_augment import AcousticAugment, Range
from edge_vc.models.content.distilled import DistilledConfig
from edge_vc.settings.field import RecipeError

SPEEDS: Range = (0.7, 1.4)
"""Limits of `ContentsSettings.speeds`: beyond them no speaker sounds so."""


@dataclass(frozen=True)
class ContentsSettings:
    """Everything but the budget."""

    answers: str = "whisper"
    """The encoder to answer as: a name in `edge_vc.models.content.registry`."""
    network: DistilledConfig = field(default_factory=DistilledConfig)
    speeds: tuple[float, ...] = (1.0, 0.9, 1.1)
    """At which every recording is heard: larger and smaller people."""
    heard: AcousticAugment = field(
        default_factory=lambda: AcousticAugment(0.4, 0.8, (3.0, 30.0), 0.2, (0.0, 20.0))
    )
    """Rooms, noise and loud events; the answer is that to the recording without them."""
    disturbed_share: float = 0.5
    """Share of the crops that are heard so."""
    dropped: float = 0.05
    """Share of the inputs that are left out."""
    crops: int = 12
    """Per step."""
    frames: int = 160
    """Length of a crop; a frame is 20 ms."""
    peak_rate: float = 2e-3
    average_decay: float = 0.998
    held_out: float = 0.1
    """Share of the speakers, by the hash of their names, that are kept for validation."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise `RecipeError` where nothing can be drawn."""
        if not self.speeds or not all(SPEEDS[0] <= speed <= SPEEDS[1] for speed in self.speeds):
            raise RecipeError(f"speeds = {list(self.speeds)}: must be within {list(SPEEDS)}")
        for name in ("disturbed_share", "dropped", "held_out"):
            if not 0 <= getattr(self, name) < 1:
                raise RecipeError(f"{name} = {getattr(self, name)}: must be within 0..1")
        if min(self.crops, self.frames) < 1:
            raise RecipeError("crops and frames must be 1 or more")
