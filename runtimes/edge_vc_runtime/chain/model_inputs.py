"""A bundle's conditioning inputs as parameters of the chain, updated hop by hop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from edge_vc_runtime.bundle.input_spec import InputSpec, ModelInputError
from edge_vc_runtime.chain.parameter import Parameter
from edge_vc_runtime.chain.parameters import DECLARED, Parameters

PREFIX = "model_"
"""Prefix of their names: the chain has a pitch parameter of its own."""
_FADE_MS = 50.0
_STEPS = {"semitones": 1.0, "dB": 1.0}
_STEP = 0.1


class ConditionedConverter(Protocol):
    """A converter with conditioning inputs: a session, or several tiers."""

    inputs: tuple[InputSpec, ...]

    def get(self, name: str) -> tuple[float, ...]:
        """Return the values of an input."""

    def set(self, name: str, value: object) -> tuple[float, ...]:
        """Set an input from the next hop on."""


def conditioned(converter: object) -> ConditionedConverter | None:
    """Return the converter if it has conditioning inputs, otherwise None."""
    return converter if getattr(converter, "inputs", ()) else None  # type: ignore[return-value]


def model_parameters(converter: object) -> tuple[Parameter, ...]:
    """Return a parameter for every value of a converter's inputs, e.g. ``model_voice_kathleen``.

    Their defaults are the current values. Stream inputs have no parameters.
    """
    known = conditioned(converter)
    if known is None:
        return ()
    return tuple(
        parameter
        for spec in known.inputs
        if spec.kind != "stream"
        for parameter in input_parameters(spec, known.get(spec.name))
    )


def input_parameters(spec: InputSpec, values: Sequence[float]) -> list[Parameter]:
    """Return the parameters of one input with these current ``values``."""
    return [
        Parameter(
            name, spec.unit or "", spec.low, spec.high, value, _STEPS.get(spec.unit, _STEP),
            spec.meaning, group=PREFIX + spec.name if spec.labels else "",
        )
        for name, value in zip(_names(spec), values, strict=True)
    ]  # fmt: skip


def all_parameters(converter: object) -> tuple[Parameter, ...]:
    """Return the chain's own parameters and those of a converter's inputs."""
    return (*DECLARED, *model_parameters(converter))


def next_voice(parameters: Parameters) -> str | None:
    """Switch to the next voice of the bundle; return its name, or None if there is only one."""
    voices = [p for p in parameters.declared.values() if p.group == f"{PREFIX}voice"]
    if len(voices) < 2:
        return None
    shares = [parameters[voice.name] for voice in voices]
    chosen = (shares.index(max(shares)) + 1) % len(voices)
    for index, voice in enumerate(voices):
        parameters.set(voice.name, float(index == chosen))
    return voices[chosen].name.removeprefix(f"{PREFIX}voice_")


def spread_groups(parameters: Parameters, changes: Mapping[str, object]) -> dict[str, object]:
    """Expand ``model_voice=kathleen``: that entry 1, the others 0. Other changes are kept."""
    written: dict[str, object] = {}
    for name, value in changes.items():
        group = str(name).replace("-", "_")
        members = [p for p in parameters.declared.values() if p.group == group]
        wanted = f"{group}_{_identifier(value)}" if isinstance(value, str) else ""
        if members and any(member.name == wanted for member in members):
            written |= {m.name: m.high if m.name == wanted else max(m.low, 0.0) for m in members}
        else:
            written[name] = value
    return written


class ModelInputs:
    """Sets a converter's inputs to the parameters' values, with transitions of 50 ms."""

    def __init__(self, converter: object, parameters: Parameters, hop: int, rate: int) -> None:
        self._converter = conditioned(converter)
        self._parameters = parameters
        self._share = min(1.0, hop / rate / (_FADE_MS / 1000))
        specs = self._converter.inputs if self._converter else ()
        self._followed = [
            _Followed(spec, self._converter.get(spec.name))
            for spec in specs
            if self._converter is not None
            and spec.kind != "stream"
            and all(name in parameters.declared for name in _names(spec))
        ]

    def follow(self) -> None:
        """Move every input towards its target value; call once per hop."""
        for each in self._followed:
            values = each.moved(self._parameters, self._share)
            if values is not None and self._converter is not None:
                try:
                    self._converter.set(each.spec.name, values)
                except ModelInputError:  # all shares of a blend are 0: keep the last voice
                    continue


class _Followed:
    """One input and its transition."""

    def __init__(self, spec: InputSpec, values: Sequence[float]) -> None:
        self.spec = spec
        self._names = _names(spec)
        self._values = list(values)
        self._span = spec.high - spec.low

    def moved(self, parameters: Parameters, share: float) -> list[float] | None:
        """Return the next values; None if nothing changes."""
        moving = False
        for index, name in enumerate(self._names):
            wanted = min(max(parameters[name], self.spec.low), self.spec.high)
            way = wanted - self._values[index]
            if way == 0.0:
                continue
            moving = True
            step = max(-self._span * share, min(self._span * share, way))
            self._values[index] = wanted if step == way else self._values[index] + step
        return self._values if moving else None


def _names(spec: InputSpec) -> list[str]:
    if spec.labels:
        return [f"{PREFIX}{spec.name}_{_identifier(label)}" for label in spec.labels]
    if spec.size == 1:
        return [PREFIX + spec.name]
    return [f"{PREFIX}{spec.name}_{index}" for index in range(spec.size)]


def _identifier(label: str) -> str:
    return label.replace("-", "_").replace(".", "_")
