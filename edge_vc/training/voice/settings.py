"""A voice's training recipe; some ship in ``edge_vc/recipes/voices``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge_vc.augmentation.acoustic_augment import AcousticAugment, Range
from edge_vc.augmentation.random_voice import VoiceRanges
from edge_vc.models.content import registry
from edge_vc.models.voice.config import VoiceConfig
from edge_vc.recipes import RECIPES
from edge_vc.settings.field import RecipeError, section_from_table, unknown

VOICE_RECIPES = RECIPES / "voices"


@dataclass(frozen=True)
class ViewSettings(VoiceRanges):
    """Augmented views of a recording, computed once before training."""

    copies: int = 2
    """Natural and voice-perturbed views of each recording: the first of each is clean, the others
    have reverberation, noise or loud transients."""
    room_share: float = 0.5
    """Share of the augmented (not clean) views that have reverberation."""
    noise_share: float = 0.8
    """Share of them that have noise."""
    snr_db: Range = (5.0, 35.0)
    """Signal-to-noise ratio of the noisy ones."""
    event_share: float = 0.3
    """Share of the augmented views with one or two loud transients."""
    event_db: Range = (0.0, 25.0)
    """Level of a transient relative to the speech."""

    @property
    def acoustics(self) -> AcousticAugment:
        """Noise and reverberation of the views that are not clean."""
        return AcousticAugment(
            self.room_share, self.noise_share, self.snr_db, self.event_share, self.event_db
        )

    def __post_init__(self) -> None:
        """Raise `RecipeError` for ranges and shares that nothing can be drawn from."""
        if not 1 <= self.copies <= 8:
            raise RecipeError(f"copies = {self.copies}: must be within 1..8")
        for name in ("f0_hz", "f0_range", "warp", "breath_hz", "snr_db", "event_db"):
            ends = getattr(self, name)
            signed = name.endswith("_db")
            if len(ends) != 2 or ends[0] > ends[1] or (not signed and ends[0] <= 0):
                above = "" if signed else ", above 0"
                raise RecipeError(f"{name} = {list(ends)}: must be [lowest, highest]{above}")
        for name in ("room_share", "noise_share", "event_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise RecipeError(f"{name} = {getattr(self, name)}: must be within 0..1")


@dataclass(frozen=True)
class VoiceLossSettings:
    """Weights of the loss terms, by the names in `losses.VOICE_TERMS`; 0 switches a term off."""

    spectral: float = 1.0
    """Multi-resolution STFT and log-mel distance from the recordings."""
    adversarial: float = 0.5
    """Least-squares adversarial loss."""
    matching: float = 1.0
    """Feature matching: L1 of the discriminators' feature maps."""
    adversarial_from: float = 0.4
    """Share of the budget after which the discriminators take part."""
    adversarial_crops: int = 6
    """Crops of a step that the discriminators are given."""
    adversarial_frames: int = 64
    """Length of these crops, frames."""
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
class VoiceSettings:
    """A training recipe: everything except the budget."""

    contents: str = "whisper"
    """Content encoder: a name in `edge_vc.models.content.registry`."""
    converts_with: str = ""
    """Content encoder that the finished weights name instead, if it differs: ``distilled`` imitates
    ``whisper``. It is not opened for training."""
    network: VoiceConfig = field(default_factory=VoiceConfig)
    views: ViewSettings = field(default_factory=ViewSettings)
    losses: VoiceLossSettings = field(default_factory=VoiceLossSettings)
    discriminators: DiscriminatorSettings = field(default_factory=DiscriminatorSettings)
    natural_share: float = 0.4
    """Share of the crops whose input is a natural view; the others have the voice perturbed."""
    clean_share: float = 0.6
    """Share of the crops whose input is a clean view, if there are others."""
    retrievals: tuple[float, ...] = (0.0, 0.5, 1.0)
    """Interpolation weights towards nearest neighbours in other sentences, drawn per crop."""
    bank_frames: int = 24_000
    """Content frames of the target that are searched during training."""
    kept_frames: int = 6_000
    """Number of them stored in the weights, for the finished voice to search."""
    loudness_spread: float = 0.2
    """Standard deviation, in nats, of a random offset of each crop's loudness."""
    crops: int = 12
    """Crops per step."""
    frames: int = 128
    """Length of a crop; a frame is 10 ms."""
    peak_rate: float = 1e-3
    """Highest learning rate, after the warm-up."""
    average_decay: float = 0.999
    """Decay per step of the moving average of the weights."""
    held_out: int = 20
    """Recordings held out for validation; a tenth of them if there are few."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise `RecipeError` if a step would be empty or could not be drawn."""
        for name in ("natural_share", "clean_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise RecipeError(f"{name} = {getattr(self, name)}: must be within 0..1")
        if not self.retrievals or not all(0 <= share <= 1 for share in self.retrievals):
            raise RecipeError(f"retrievals = {list(self.retrievals)}: must be shares within 0..1")
        if min(self.crops, self.held_out, self.losses.adversarial_crops) < 1:
            raise RecipeError("crops, held_out and losses.adversarial_crops must be 1 or more")
        if not self.losses.adversarial_frames <= self.frames:
            raise RecipeError(
                f"losses.adversarial_frames = {self.losses.adversarial_frames}: the crops have "
                f"{self.frames} frames"
            )
        if self.network.units:
            raise RecipeError("units are found by training: set kept_frames, not network.units")
        if min(self.bank_frames, self.kept_frames) < self.network.neighbours:
            raise RecipeError(
                f"bank_frames = {self.bank_frames}, kept_frames = {self.kept_frames}: must be "
                f"network.neighbours = {self.network.neighbours} or more"
            )
        if self.converts_with and self.converts_with not in registry.CONTENTS:
            name = self.converts_with
            raise unknown("content encoder of converts_with", name, registry.CONTENTS)


def load_voice_settings(recipe: str | Path, changes: Sequence[str] = ()) -> VoiceSettings:
    """Read a TOML file, or a shipped recipe by its name, with ``KEY=VALUE`` changes.

    Raises `RecipeError` for a file that is missing or not TOML and for any unknown key.
    """
    path = Path(recipe)
    if not path.suffix:
        path = VOICE_RECIPES / f"{recipe}.toml"
    if not path.is_file():
        names = sorted(found.stem for found in VOICE_RECIPES.glob("*.toml"))
        raise unknown("recipe of a voice", str(recipe), names)
    settings = VoiceSettings()
    for source in (path.read_text(encoding="utf-8", errors="replace"), *changes):
        try:
            table = tomllib.loads(source)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            where = str(path) if source not in changes else f"--set {source}"
            raise RecipeError(f"{where}: not TOML: {error}") from error
        settings = section_from_table(VoiceSettings, table, base=settings)
    # The network's input is the output of this encoder.
    return replace(settings, network=replace(settings.network, contents=settings.contents))
