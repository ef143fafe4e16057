"""The recipe: everything `compress` is told, as data read from TOML."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from edge_vc.recipes import RECIPES
from edge_vc.settings.field import RecipeError, Value, choice, number, section_from_table, unknown
from edge_vc.settings.paths import path_field, with_paths_from
from edge_vc.teachers.network_file import SHIPPED
from edge_vc.teachers.reading import spec_from_table
from edge_vc.teachers.spec import TeacherSpec


@dataclass(frozen=True)
class StudentSection:
    """What compression starts with."""

    tier: str = choice("wide", "wide", "base", "nano")
    weights: str = path_field("shipped")
    """``shipped`` weights of the tier, ``random`` ones, or the path of a student's file."""
    lookahead: int = number(0, 0, 4, "hops")
    """Hops of look-ahead, each ``hop_ms`` more latency; for weights without any."""
    hop_ms: float = number(10.0, 2.5, 20.0, "ms")
    """One block of audio; the graph runs once per hop. The latency is two hops and look-ahead."""
    sample_rate: int = number(16_000, 8_000, 48_000, "Hz")
    """Rate of the student and its labels; the shipped weights are for 16000 Hz."""
    seed: int = number(0, 0, 2**31 - 1)


@dataclass(frozen=True)
class DataSection:
    """What is converted by the teacher to learn from."""

    corpus: str = path_field()
    """Folder of recordings; empty: speech is synthesised with espeak-ng."""
    labels: str = path_field()
    """Folder that ``edge-vc label`` filled, instead of a corpus: no teacher runs."""
    minutes: float = number(30.0, 0.1, 10_000.0, "minutes")
    """How much of it is used, at most, before variation."""
    vary: bool = True
    """Play every recording slower and faster as well: larger and smaller people."""
    holdout_seconds: float = number(45.0, 5.0, 3_600.0, "s")
    """Speech kept apart to measure every stage on."""
    seed: int = number(0, 0, 2**31 - 1)


@dataclass(frozen=True)
class PruneSection:
    """How the student gets narrower; how far is said by the target."""

    enabled: bool = True
    method: str = choice("structured", "structured", "magnitude")
    """``structured`` removes channels; ``magnitude`` zeroes weights: no smaller, no faster."""
    importance: str = choice("taylor", "l2", "taylor")
    """Rank channels by the ``l2`` norm of their weights or by what they change in the loss."""
    sparsity: float = number(0.5, 0.0, 0.95)
    """Share of weights that ``magnitude`` zeroes."""
    round_to: int = number(8, 1, 64, "channels")
    """Widths become multiples of this: what vector units like."""
    max_mel_db: float = number(60.0, 0.1, 200.0, "dB", limits="mel_db")
    """Stop when the mel distance to the teacher is larger after pruning."""


@dataclass(frozen=True)
class DistillSection:
    """How the student learns from the teacher; a weight of 0 switches its term off."""

    enabled: bool = True
    steps: int = number(4_000, 1, 10_000_000, "steps")
    batch: int = number(12, 1, 1_024, "segments")
    segment_seconds: float = number(1.28, 0.32, 30.0, "s")
    learning_rate: float = number(2e-3, 1e-6, 0.1)
    waveform: float = number(0.0, 0.0, 1_000.0)
    """L1 between waveforms."""
    stft: float = number(1.0, 0.0, 1_000.0)
    """Multi-resolution STFT."""
    mel: float = number(1.5, 0.0, 1_000.0)
    """L1 between log-mel spectra."""
    feature: float = number(0.5, 0.0, 1_000.0)
    """L1 between the filters that teacher and student apply."""
    pitch: float = number(3.0, 0.0, 1_000.0)
    """L1 between log F0 where the teacher is voiced."""
    voicing: float = number(1.0, 0.0, 1_000.0)
    """Cross-entropy of the voicing decision."""
    adversarial: float = number(0.0, 0.0, 1_000.0)
    """Least-squares adversarial loss with feature matching."""
    adversarial_from: float = number(0.5, 0.0, 1.0, "of the steps")
    """When the adversarial term joins."""
    warp: float = number(0.05, 0.0, 1.0)
    """Standard deviation of a logarithmic warp of what the trunk is shown: other vocal tracts."""
    colour: float = number(0.4, 0.0, 10.0, "nats of power")
    """Standard deviation of a smooth curve over its bands: other microphones."""
    expansion_lowest: float = number(0.4, 0.1, 1.0)
    """Ratio of its expander, drawn between both: below 1 what is soft gets louder."""
    expansion_highest: float = number(2.0, 1.0, 10.0)
    """Above 1 what is soft gets softer, as in a quieter room; 1 and 1 leave it as it is."""
    seed: int = number(0, 0, 2**31 - 1)
    max_mel_db: float = number(12.0, 0.1, 200.0, "dB", limits="mel_db")
    """Stop when the mel distance to the teacher is larger after distillation."""


@dataclass(frozen=True)
class QuantizeSection:
    """Eight bits for the trunk: calibration, then fine-tuning."""

    enabled: bool = True
    calibration_seconds: float = number(30.0, 1.0, 3_600.0, "s")
    """Speech streamed through the student to find the ranges."""
    bias_correction: bool = False
    """NNCF's; cost 0.4 dB on the wide student."""
    qat_steps: int = number(200, 0, 1_000_000, "steps")
    """Steps of quantisation-aware training; 0 skips it."""
    qat_batch: int = number(4, 1, 1_024, "segments")
    qat_segment_seconds: float = number(1.0, 0.1, 30.0, "s")
    qat_learning_rate: float = number(2e-5, 1e-8, 1e-3)
    """At the start, falling along half a cosine."""
    qat_clip: float = number(1.0, 1e-3, 1e3)
    """Largest norm of the gradient."""
    seed: int = number(0, 0, 2**31 - 1)
    min_snr_db: float = number(25.0, 0.0, 100.0, "dB", limits="trunk_snr_db", sense="min")
    """Stop when the trunk's outputs are further from the float ones."""
    max_lsd_db: float = number(1.0, 0.01, 60.0, "dB", limits="lsd_db")
    """Stop when the waveform's log-spectral distance to the float one is larger."""
    max_drift_db: float = number(1.5, 0.1, 60.0, "dB", limits="drift_db")
    """Stop when the last ten seconds are further from the float ones than the first."""


@dataclass(frozen=True)
class ExportSection:
    """What the bundle says about itself.

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
    """Whose recordings the models learnt from."""
    precision: str = choice("both", "both", "fp32", "all")
    """Which graphs go into the bundle; of ``both``, INT8 is the default.

    ``all`` adds a float TFLite file with integer weights (``dynamic-int8``)."""
    formats: str = choice("both", "both", "onnx", "tflite")
    """Of both, the board takes what it runs faster."""


SHIPPED_VOICE = ExportSection(
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
"""Defaults of ``[export]`` where the teacher is the shipped one; no other voice gets them."""


@dataclass(frozen=True)
class TargetSection:
    """What the board can afford."""

    max_mmacs: float = number(150.0, 10.0, 100_000.0, "million MACs per second")
    max_weight_kb: float = number(800.0, 1.0, 100_000.0, "kB of INT8 weights")
    max_latency_ms: float = number(20.0, 5.0, 1_000.0, "ms, algorithmic")


@dataclass(frozen=True)
class Recipe:
    """All sections; the defaults make a `base` student."""

    teacher: TeacherSpec = SHIPPED
    """Who is learnt from; its keys depend on ``kind``."""
    student: StudentSection = StudentSection()
    data: DataSection = DataSection()
    prune: PruneSection = PruneSection()
    distill: DistillSection = DistillSection()
    quantize: QuantizeSection = QuantizeSection()
    export: ExportSection = SHIPPED_VOICE
    """Read from TOML, another teacher than the shipped one starts from an empty section."""
    target: TargetSection = TargetSection()

    @classmethod
    def from_toml(cls, text: str, folder: Path | None = None) -> Recipe:
        """Parse and validate; raises `RecipeError` with the key, the value and the range.

        Relative paths that exist in ``folder``, the recipe's, are taken from there, others from
        the working directory.
        """
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RecipeError(f"not valid TOML: {error}") from error
        defaults: dict[str, Any] = {spec.name: spec.default for spec in fields(cls)}
        for name, table in tables.items():
            if name not in defaults:
                raise unknown("section", name, defaults)
            if not isinstance(table, dict):
                raise RecipeError(f"{name} = {table!r}: is a section, write [{name}]")
        teacher = spec_from_table(tables.pop("teacher", {}), folder)
        if teacher != SHIPPED:
            defaults["export"] = ExportSection()
        given = {
            name: section_from_table(type(defaults[name]), table, name, base=defaults[name])
            for name, table in tables.items()
        }
        if folder:
            given = {name: with_paths_from(section, folder) for name, section in given.items()}
        return cls(**(defaults | given | {"teacher": teacher}))

    def to_dict(self) -> dict[str, dict[str, Value]]:
        """Return the resolved recipe, every default written out, as plain values."""
        return asdict(self)


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a recipe: a path to a TOML file, or the name of a shipped one (``base``).

    Raises `RecipeError`; every message starts with the recipe's name.
    """
    path = Path(name_or_path)
    try:
        if path.suffix == ".toml":
            return Recipe.from_toml(path.read_text(encoding="utf-8"), path.parent)
        return Recipe.from_toml(_shipped_text(str(name_or_path)))
    except RecipeError as error:
        raise RecipeError(f"{name_or_path}: {error}") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise RecipeError(f"{name_or_path}: cannot be read ({reason})") from error


def shipped_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the package, sorted."""
    names = (entry.name for entry in RECIPES.iterdir())
    return tuple(sorted(name[:-5] for name in names if name.endswith(".toml")))


def limit_fields(section: object) -> dict[str, tuple[str, str, float]]:
    """Limits of a section: field name to (metric, ``max`` or ``min``, value)."""
    limits = {}
    for spec in fields(section):  # type: ignore[arg-type]
        if spec.metadata.get("limits"):
            metric, sense = spec.metadata["limits"], spec.metadata["sense"]
            limits[spec.name] = (metric, sense, getattr(section, spec.name))
    return limits


def _shipped_text(name: str) -> str:
    if name not in shipped_recipes():
        known = ", ".join(shipped_recipes())
        raise RecipeError(f"no such recipe; shipped are {known}, a file ends in .toml")
    return (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
