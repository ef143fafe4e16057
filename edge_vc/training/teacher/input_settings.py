"""Settings of how the teacher's inputs are augmented."""

from __future__ import annotations

from dataclasses import dataclass

from edge_vc.settings.field import RecipeError

Range = tuple[float, float]
"""Lowest and highest value."""


@dataclass(frozen=True)
class InputSettings:
    """How inputs differ from the recordings that they should become; a share of 0 switches off."""

    voice_perturb_share: float = 0.6
    """Share of paired crops that the vocoder gives another voice; the rest are stored variants."""
    f0_hz: Range = (75.0, 290.0)
    """Range of the new mean F0, drawn log-uniformly."""
    f0_range: Range = (0.6, 1.5)
    """Scale of the log-F0 excursions."""
    warp: Range = (0.75, 1.3)
    """Limits of the warp of formants."""
    warp_slope: float = 0.18
    """How the warp follows pitch: ``exp(slope * ln(new / old))``."""
    warp_spread: float = 0.09
    """Standard deviation of the log warp around that."""
    breath_hz: Range = (3000.0, 9000.0)
    """Above it the frames of another voice are noise."""
    mel_warp: float = 0.05
    """Standard deviation of a log warp of mel bands, on top."""
    mel_warp_natural: float = 0.12
    """The same for crops that nothing else changed."""
    equaliser: float = 0.25
    """Standard deviation in nats of a smooth random equaliser curve over the bands."""
    level: float = 0.15
    """Standard deviation in nats of the level."""
    expansion: Range = (1.0, 1.0)
    """Ratio of a downward expander, drawn log-uniformly: above 1 it attenuates soft bands, as a
    quieter room would, below 1 it amplifies them."""
    threshold: float = -1.0
    """Threshold of the expander, nats relative to the channel mean."""
    room_share: float = 0.3
    """Share of crops that are convolved with a room impulse response."""
    noise_share: float = 0.5
    """Share of crops with added noise."""
    snr_db: Range = (5.0, 35.0)
    """Signal-to-noise ratio of these."""
    mean_frames: int = 300
    """Most frames around a crop over which the channel mean is taken."""
    fewest_mean_frames: int = 300
    """Fewest; drawn log-uniformly between both, since utterances may be short."""

    def __post_init__(self) -> None:
        """Raise `RecipeError` for ranges and shares that nothing can be drawn from."""
        for name in (*_ABOVE_ZERO, "snr_db"):
            ends = getattr(self, name)
            if len(ends) != 2 or ends[0] > ends[1] or (name != "snr_db" and ends[0] <= 0):
                above = "" if name == "snr_db" else ", above 0"
                raise RecipeError(f"{name} = {list(ends)}: must be [lowest, highest]{above}")
        for name in ("voice_perturb_share", "room_share", "noise_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise RecipeError(f"{name} = {getattr(self, name)}: must be within 0..1")
        for name in ("mean_frames", "fewest_mean_frames"):
            if getattr(self, name) < 1:
                raise RecipeError(f"{name} = {getattr(self, name)}: must be 1 or more")


_ABOVE_ZERO = ("f0_hz", "f0_range", "warp", "breath_hz", "expansion")
