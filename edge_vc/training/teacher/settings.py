"""A teacher's training recipe; some ship in ``edge_vc/recipes/training``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.recipes import RECIPES
from edge_vc.settings.field import RecipeError, section_from_table, unknown
from edge_vc.training.teacher.input_settings import InputSettings
from edge_vc.training.teacher.loss_settings import LossSettings
from edge_vc.training.voice.settings import DiscriminatorSettings

TRAINING_RECIPES = RECIPES / "training"


@dataclass(frozen=True)
class TeacherSettings:
    """A training recipe: everything but the budget and the devices."""

    network: TeacherConfig = field(default_factory=TeacherConfig)
    inputs: InputSettings = field(default_factory=InputSettings)
    losses: LossSettings = field(default_factory=LossSettings)
    discriminators: DiscriminatorSettings = field(default_factory=DiscriminatorSettings)
    own: int = 8
    """Crops per step of the target speaker, voice 0, whose voice a saved teacher has."""
    others: int = 4
    """Crops per step of the other speakers."""
    unpaired: int = 4
    """Natural crops per step of other speakers that are converted and only discriminated."""
    accumulate: int = 1
    """Parts in which a step is computed, to save memory."""
    units: int = 0
    """Contents of the target's speech that a finished teacher retrieves from."""
    retrieve_from: int = 0
    """Contents of the target's speech that training retrieves from; 0: no retrieval."""
    renew_steps: int = 250
    """Steps after which these are drawn anew, since contents change while the network learns."""
    frames: int = 128
    """Length of a crop; a frame is 10 ms."""
    peak_rate: float = 1.2e-3
    """Highest learning rate, after the warm-up."""
    average_decay: float = 0.999
    """Decay per step of the moving average of the weights."""
    compile: bool = False
    """Whether torch compiles the blocks; saves time on a GPU after a minute or two."""
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
    """Read a TOML file, or a shipped recipe by its name (``cpu``, ``gpu``).

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
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecipeError(f"{path}: not TOML: {error}") from error
    return section_from_table(TeacherSettings, table)
