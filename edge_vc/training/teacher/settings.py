"""How a teacher is trained, as a recipe says it; some ship in `edge_vc/recipes/training`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.recipes import RECIPES
from edge_vc.settings.field import RecipeError, section_from_table, unknown

TRAINING_RECIPES = RECIPES / "training"

Range = tuple[float, float]


@dataclass(frozen=True)
class InputSettings:
    """How inputs differ from the recordings that they should become; a share of 0 leaves it out."""

    revoice_share: float = 0.6
    """Of paired crops that the vocoder gives another voice; the rest are stored variants."""
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
    """Above it revoiced frames are noise."""
    mel_warp: float = 0.05
    """Standard deviation of a log warp of mel bands, on top."""
    mel_warp_natural: float = 0.12
    """The same for crops that nothing else changed."""
    colour: float = 0.25
    """Standard deviation in nats of a smooth curve over the bands."""
    level: float = 0.15
    """Standard deviation in nats of the level."""
    expansion: Range = (1.0, 1.0)
    """Ratio of a downward expander, drawn log-uniformly: above 1 what is soft gets softer, as in
    a quieter room, below 1 louder."""
    threshold: float = -1.0
    """Below it the expander works, nats relative to the channel's mean."""
    room_share: float = 0.3
    noise_share: float = 0.5
    snr_db: Range = (5.0, 35.0)
    mean_frames: int = 300
    """Frames around a crop over which the channel's mean is taken, at most."""
    fewest_mean_frames: int = 300
    """At least; drawn log-uniformly between both, since people say short sentences too."""

    def __post_init__(self) -> None:
        """Raise `RecipeError` for ranges and shares that nothing can be drawn from."""
        for name in (*_ABOVE_ZERO, "snr_db"):
            ends = getattr(self, name)
            if len(ends) != 2 or ends[0] > ends[1] or (name != "snr_db" and ends[0] <= 0):
                above = "" if name == "snr_db" else ", above 0"
                raise RecipeError(f"{name} = {list(ends)}: must be [lowest, highest]{above}")
        for name in ("revoice_share", "room_share", "noise_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise RecipeError(f"{name} = {getattr(self, name)}: must be within 0..1")
        for name in ("mean_frames", "fewest_mean_frames"):
            if getattr(self, name) < 1:
                raise RecipeError(f"{name} = {getattr(self, name)}: must be 1 or more")


_ABOVE_ZERO = ("f0_hz", "f0_range", "warp", "breath_hz", "expansion")


@dataclass(frozen=True)
class LossSettings:
    """Weights of the loss terms, by the names in `losses.TERMS`; 0 switches a term off."""

    spectral: float = 1.0
    """Multi-resolution STFT and log-mel distance of paired crops from their recordings."""
    adversarial: float = 0.3
    """Least-squares adversarial loss of the target's paired crops and of converted ones."""
    matching: float = 0.6
    """Feature matching: L1 of the discriminators' feature maps, the target's paired crops."""
    invariance: float = 0.0
    """Distance between the contents of two augmented copies of a crop, over their variation."""
    consistency: float = 0.0
    """The same between an unpaired crop and its conversion."""
    phones: float = 0.0
    """Cross-entropy of the phones that a classifier reads off the contents, of all crops."""
    adversarial_from: float = 0.4
    """Share of the budget after which the discriminators, and unpaired crops, take part."""
    adversarial_frames: int = 96
    """Frames of each crop that the discriminators see."""
    discriminator_rate: float = 0.5
    """Ratio of the discriminators' learning rate to the network's."""

    @property
    def uses_discriminators(self) -> bool:
        """Whether any term needs them."""
        return bool(self.adversarial or self.matching)


@dataclass(frozen=True)
class DiscriminatorSettings:
    """Sizes of the discriminators."""

    windows: tuple[int, ...] = (256, 512, 1024)
    """Windows of the spectrogram discriminators, samples."""
    channels: int = 16
    periods: tuple[int, ...] = ()
    """Periods of the multi-period discriminators (Kong et al. 2020), samples; empty: none."""
    period_channels: int = 16


@dataclass(frozen=True)
class TeacherSettings:
    """Everything but the budget and the place; what a run's log starts with."""

    network: TeacherConfig = field(default_factory=TeacherConfig)
    inputs: InputSettings = field(default_factory=InputSettings)
    losses: LossSettings = field(default_factory=LossSettings)
    discriminators: DiscriminatorSettings = field(default_factory=DiscriminatorSettings)
    own: int = 8
    """Crops a step of the voice that ships."""
    others: int = 4
    """Crops a step of everybody else, who teach what speech is."""
    unpaired: int = 4
    """Natural crops a step of others that are converted and judged, without a truth."""
    accumulate: int = 1
    """Parts in which a step is computed, for want of memory."""
    units: int = 0
    """Of the target's speech that a finished teacher carries to retrieve contents from."""
    retrieve_from: int = 0
    """Contents of the target's frames that training retrieves from; 0: it does not retrieve."""
    renew_steps: int = 250
    """Steps after which these are drawn anew, since contents move while the network learns."""
    frames: int = 128
    """Length of a crop; a frame is 10 ms."""
    peak_rate: float = 1.2e-3
    average_decay: float = 0.999
    compile: bool = False
    """Whether torch compiles the blocks; pays on a GPU after a minute or two."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise `RecipeError` where a step would be empty or cannot be divided."""
        if self.renew_steps < 1:
            raise RecipeError(f"renew_steps = {self.renew_steps}: must be 1 or more")
        if self.own < 1 or self.others < 0 or self.unpaired < 0 or self.accumulate < 1:
            raise RecipeError("own and accumulate are 1 or more, others and unpaired 0 or more")
        if self.network.units:
            raise RecipeError("units are found by training: set units, not network.units")
        self.check_split(1)

    def check_split(self, processes: int) -> None:
        """Raise `RecipeError` unless every part of every process gets as many rows of each kind."""
        parts = processes * self.accumulate
        for name in ("own", "others", "unpaired"):
            if getattr(self, name) % parts:
                raise RecipeError(
                    f"{name} = {getattr(self, name)} does not divide by {processes} processes x "
                    f"{self.accumulate} parts"
                )


def load_settings(recipe: str | Path) -> TeacherSettings:
    """Read a TOML file, or a recipe that ships by its name (``cpu``, ``gpu``).

    Raises `RecipeError` for a file that is missing or no TOML and for any unknown key.
    """
    path = Path(recipe)
    if not path.suffix:
        path = TRAINING_RECIPES / f"{recipe}.toml"
    if not path.is_file():
        names = sorted(p.stem for p in TRAINING_RECIPES.glob("*.toml"))
        raise unknown("training recipe", str(recipe), names)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not TOML: {error}") from error
    return section_from_table(TeacherSettings, table)
