"""The chain's settings: their declarations, and the values of one running chain."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from edge_vc_runtime.chain.error import ChainError
from edge_vc_runtime.chain.parameter import Parameter

DECLARED = (
    Parameter(
        "noise_reduction", "on/off", 0, 1, 0, 1,
        "reduce stationary noise (fan, hum, hiss) in front of the model; adds 2 ms delay",
    ),
    Parameter(
        "gate", "on/off", 0, 1, 0, 1,
        "silence the output, and suspend the model, while nobody speaks",
        live_default=1,
    ),
    Parameter(
        "gate_threshold", "dB", -90, -10, -70, 2,
        "level in dBFS below which the gate never opens",
    ),
    Parameter(
        "pitch", "semitones", -12, 12, 0, 1,
        "shift the pitch of the converted voice; other than 0 adds 10 ms delay",
    ),
    Parameter("gain", "dB", -40, 24, 0, 1, "volume of the converted voice"),
    Parameter("low", "dB", -12, 12, 0, 1, "equaliser: gain below 250 Hz"),
    Parameter("mid", "dB", -12, 12, 0, 1, "equaliser: gain around 1 kHz"),
    Parameter("high", "dB", -12, 12, 0, 1, "equaliser: gain above 4 kHz"),
    Parameter(
        "level_follow", "on/off", 0, 1, 0, 1,
        "make the converted voice as loud as the speaker; without it, every voice is equally loud",
        live_default=1,
    ),
    Parameter("mix", "%", 0, 100, 100, 10, "share of the converted voice; the rest is yours"),
    Parameter("bypass", "on/off", 0, 1, 0, 1, "pass the microphone through, unconverted"),
    Parameter("backing_gain", "dB", -60, 12, -6, 1, "volume of the backing track"),
)  # fmt: skip
"""Every setting of the chain; `model_inputs` adds those of a bundle's conditioning inputs."""


class Parameters:
    """Values by name. Any thread may write one at any time; stages read them once per hop."""

    def __init__(
        self, values: Mapping[str, object] | None = None, declared: tuple[Parameter, ...] = DECLARED
    ) -> None:
        self.declared = {parameter.name: parameter for parameter in declared}
        """Declarations by name."""
        self._values = {parameter.name: float(parameter.default) for parameter in declared}
        for name, value in (values or {}).items():
            self.set(name, value)

    def __getitem__(self, name: str) -> float:
        """Return a value; raises `KeyError` for an unknown name, which is a programming error."""
        return self._values[name]

    def set(self, name: str, value: object) -> float:
        """Check, store and return an external value; raises `ChainError`."""
        parameter = self.find(name)
        number = parameter.check(value)
        self._values[parameter.name] = number
        return number

    def change(self, name: str, steps: int) -> float:
        """Change a value by steps, within its limits, or toggle a switch; return the new value."""
        parameter = self.find(name)
        value = self._values[parameter.name]
        if parameter.switch:
            value = 1.0 - value
        else:
            value = min(max(value + steps * parameter.step, parameter.low), parameter.high)
        self._values[parameter.name] = value
        return value

    def find(self, name: str) -> Parameter:
        """Return a declaration, treating hyphens as underscores; raises `ChainError`."""
        key = name.replace("-", "_")
        if key in self.declared:
            return self.declared[key]
        near = get_close_matches(key[:40], self.declared, n=1)
        guess = f"did you mean {near[0]}?" if near else f"one of {', '.join(self.declared)}"
        raise ChainError(f"no parameter {name[:40]!a}; {guess}")

    def as_dict(self) -> dict[str, float]:
        """Return a copy of all values by name."""
        return dict(self._values)
