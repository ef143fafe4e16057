"""The manifest entry of one student in a bundle with several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edge_vc_runtime.bundle.entries import (
    FILE_NAME,
    Golden,
    ModelEntry,
    StateSpec,
    read_golden,
    read_model,
    read_numbers,
    read_state,
    read_tier_name,
)
from edge_vc_runtime.bundle.input_reader import read_inputs
from edge_vc_runtime.bundle.input_spec import InputSpec
from edge_vc_runtime.schema.fields import FieldError, Fields

MOST_TIERS = 8
"""Maximum number of tiers in a bundle, including the default one."""


@dataclass(frozen=True)
class TierEntry:
    """A student other than the default; hop, sample rate and voice are those of the bundle."""

    name: str
    delay: int
    """Look-ahead in samples, like `Manifest.delay`."""
    states: tuple[StateSpec, ...]
    models: tuple[ModelEntry, ...]
    """Each states the tier's name."""
    default: str
    """File of the model that runs unless another precision is requested."""
    golden: Golden | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    inputs: tuple[InputSpec, ...] = ()
    """Conditioning inputs of its graphs."""


def read_tier(fields: Fields, with_inputs: bool = False) -> TierEntry:
    """Read one entry of ``tiers``, with ``inputs`` if the format has them.

    Raises `FieldError`.
    """
    tier = TierEntry(
        name=read_tier_name(fields, "name"),
        delay=fields.integer("delay", 0, 1_920_000),
        states=tuple(read_state(state) for state in fields.children("states", 1024)),
        models=tuple(read_model(model) for model in fields.children("models", 16)),
        default=fields.text("default", FILE_NAME, 100),
        golden=fields.optional("golden", read_golden),
        metrics=read_numbers(fields.child("metrics")),
        provenance=fields.child("provenance").rest(),
        inputs=read_inputs(fields) if with_inputs else (),
    )
    fields.done()
    return tier


def check_tier_names(default: str, tiers: tuple[TierEntry, ...]) -> None:
    """Raise `FieldError` for a duplicate name or one that a tier's models do not state."""
    names = [default, *(tier.name for tier in tiers)]
    if len(set(names)) != len(names):
        raise FieldError(f"tiers are {', '.join(names)}, a name is there twice")
    for tier in tiers:
        for model in tier.models:
            if model.tier != tier.name:
                raise FieldError(f"tiers: {tier.name} holds {model.file!r} of tier {model.tier!r}")
