"""Conditioning of each recording of a training set: measured styles and auxiliary streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.config import StudentConfig
from edge_vc.models.student.inputs import STYLE
from edge_vc_runtime.bundle.input_spec import find_input

Condition = Mapping[str, NDArray[np.float32]]
"""Of one recording, by input name: ``[size, 1]``, or ``[size, F]`` for its frames."""


class AuxSource(Protocol):
    """A source of something known about every hop besides the audio, such as a script."""

    name: str
    """The stream input that it feeds; see `edge_vc.models.student.inputs.stream_input`."""
    size: int

    def frames(self, example: LabelledAudio) -> NDArray[np.float32]:
        """Return what is known about a recording, ``[size, F]``, zeros where nothing is."""
        ...


def conditions_for(
    config: StudentConfig,
    examples: Sequence[LabelledAudio],
    sources: Sequence[AuxSource] = (),
    voices: Sequence[str] = (),
) -> list[Condition]:
    """Return the conditions of ``examples`` that can be measured or that ``sources`` provide.

    Only inputs that the student declares are included. ``voices`` names the voice of each example,
    which cannot be measured; styles are then measured within each voice. Raises `ModelInputError`
    for a voice that the student does not have.
    """
    declared = {spec.name for spec in config.inputs}
    found: list[dict[str, NDArray[np.float32]]] = [{} for _ in examples]
    if voices:
        for condition, told in zip(found, voice_conditions(config, voices), strict=True):
            condition.update(told)
    if "style" in declared:
        for voice in dict.fromkeys(voices or [""]):
            own = [i for i in range(len(examples)) if not voices or voices[i] == voice]
            styles = measured_styles([examples[i] for i in own])
            for i, style in zip(own, styles, strict=True):
                found[i]["style"] = style[:, None]
    for source in sources:
        if source.name in declared:
            for condition, example in zip(found, examples, strict=True):
                condition[source.name] = source.frames(example)
    return list(found)


def voice_conditions(config: StudentConfig, voices: Sequence[str]) -> list[Condition]:
    """Return the condition that selects each of ``voices``, without blending.

    Raises `ModelInputError` for a name that the student does not have.
    """
    spec = find_input(config.inputs, "voice")
    return [{"voice": np.array(spec.check(voice), np.float32)[:, None]} for voice in voices]


def measured_styles(examples: Sequence[LabelledAudio]) -> NDArray[np.float32]:
    """Return the style ``[N, 3]`` of every target, in standard deviations over all targets.

    The columns follow `STYLES`: spread of log F0, spread of the level of voiced frames in dB, and
    onsets of voiced stretches per second.
    """
    raw = np.array([_style(example) for example in examples])
    spread = np.maximum(raw.std(0), 1e-6)
    scaled: NDArray[np.float32] = ((raw - raw.mean(0)) / spread).astype(np.float32)
    return scaled.clip(STYLE.low, STYLE.high)


def _style(example: LabelledAudio) -> tuple[float, float, float]:
    voiced = example.f0 > 0
    if voiced.sum() < 2:
        return 0.0, 0.0, 0.0
    frames = example.target[: len(voiced) * example.hop].reshape(len(voiced), -1)
    power = np.square(frames.astype(np.float64)).mean(1)
    level = 10 * np.log10(power[voiced] + 1.0)
    onsets = int((np.diff(voiced.astype(int)) > 0).sum())
    seconds = len(voiced) / 100
    return float(np.log(example.f0[voiced]).std()), float(level.std()), onsets / seconds
