"""Training batches for a student: its front end's features and the teacher's output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edge_vc.audio.level import frame_power
from edge_vc.audio.mel import channel_mean
from edge_vc.augmentation.feature_augment import FeatureAugment
from edge_vc.labelling.labels import LabelledAudio
from edge_vc.models.student.student import Student
from edge_vc.nn.conditioned import Inputs
from edge_vc.nn.flat_step import TooShortError
from edge_vc.training.student.conditions import Condition
from edge_vc.training.student.inputs.input_features import (
    LOUD_EVERY,
    InputAugmentation,
    InputFeatures,
    check_shares,
    extract_features,
)
from edge_vc.training.student.targets import held_back, targets_for
from edge_vc.workers.progress import Progress, no_progress

EARLY_SHARE = 0.33
"""Share of crops from the beginnings of recordings, before the running mean has settled."""
EARLY_SECONDS = 1.0
SPOKEN_SHARE = 0.5
"""Share of the beginnings of streams at which somebody is already speaking."""
SPEECH_POWER = 10**-2.5
"""A frame with at least this share of the loudest frame's power counts as speech."""


@dataclass(frozen=True)
class DistillBatch:
    """One batch of ``B`` segments of ``F`` frames."""

    features: Tensor
    """The front end's log-mels, ``[B, mels, 1, F]``."""
    augmented: Tensor
    """The same with augmentation: the input of the trunk, ``[B, mels, 1, F]``."""
    f0: Tensor
    """The teacher's contour in Hz, held through unvoiced frames, ``[B, 1, 1, F]``."""
    voiced: Tensor
    """1 where the teacher is voiced, between 0 and 1 at the edges, ``[B, 1, 1, F]``."""
    bands: Tensor | None
    """The teacher's log-magnitude filters at the student's bands, harmonic and noise,
    ``[B, bands, 2, F]``."""
    audio: Tensor
    """The teacher's output, delayed as the student's will be, ``[B, F * hop]``."""
    inputs: Inputs = field(default_factory=dict)
    """Conditioning by name, ``[B, size, 1, F]``; missing ones take the student's defaults."""
    contents: Tensor | None = None
    """Content features of each frame, ``[B, C, 1, F]``; None if the labels have none."""
    source: Tensor | None = None
    """The source audio, delayed like ``audio``, ``[B, F * hop]``; None if not requested."""
    warm: int = 0
    """Leading frames that fill the convolutions' contexts and count in no loss."""

    def share(self, rank: int, world: int, device: torch.device) -> DistillBatch:
        """Return every ``world``-th segment starting at number ``rank``, on ``device``."""
        rows = slice(rank, None, world)
        return DistillBatch(
            self.features[rows].to(device),
            self.augmented[rows].to(device),
            self.f0[rows].to(device),
            self.voiced[rows].to(device),
            None if self.bands is None else self.bands[rows].to(device),
            self.audio[rows].to(device),
            {name: value[rows].to(device) for name, value in self.inputs.items()},
            None if self.contents is None else self.contents[rows].to(device),
            None if self.source is None else self.source[rows].to(device),
            self.warm,
        )


@dataclass(frozen=True)
class _Example:
    features: InputFeatures
    f0: NDArray[np.float32]
    voiced: NDArray[np.float32]
    bands: NDArray[np.float16] | None
    audio: NDArray[np.int16]
    contents: NDArray[np.float16] | None
    source: NDArray[np.int16] | None = None
    inputs: Condition = field(default_factory=dict)


class DistillBatches:
    """Crops of ``frames`` frames from all examples by length; a third from their beginnings.

    The front end is run over whole recordings beforehand, since it is not trained. A crop's running
    mean is therefore what it would be at that point of a stream; in some recordings it follows
    something loud just before (`loud_event`). The input of some crops is one of the augmented
    copies of their recording; the labels are those of the recording itself. The first ``warm``
    frames of a crop are context; if there are any, streams that open amid speech are drawn as well
    (`draw`). With ``sources``, a batch includes the source audio.
    """

    def __init__(
        self,
        student: Student,
        examples: Sequence[LabelledAudio],
        frames: int,
        augment: FeatureAugment | None = None,
        conditions: Sequence[Condition] = (),
        augmentations: Sequence[InputAugmentation] = (),
        *,
        warm: int = 0,
        sources: bool = False,
        progress: Progress = no_progress,
    ) -> None:
        self.frames, self.hop, self.warm = frames, student.config.hop, warm
        check_shares(augmentations)
        self._shares = [each.share for each in augmentations]
        self._early = round(EARLY_SECONDS * student.config.frame_rate)
        self._config, self._augment = student.config, augment
        whole = [example.at_hop(self.hop) for example in examples]
        long = {index: each for index, each in enumerate(whole) if len(each.f0) > frames}
        if not long:
            longest = max((len(each.f0) for each in whole), default=0)
            raise TooShortError(
                f"no recording is longer than a segment of {frames} frames (the longest has "
                f"{longest}): give longer recordings or shorter segments"
            )
        told = {
            index: _at_frames(conditions[index] if conditions else {}, len(each.f0))
            for index, each in long.items()
        }

        def prepared(
            some: Mapping[int, LabelledAudio], told: Mapping[int, Condition], loud_every: int
        ) -> list[_Example]:
            heard = extract_features(student, some, augmentations, progress, loud_every=loud_every)
            return [_prepare(student, some[n], heard[n], told[n], sources) for n in some]

        self._examples = prepared(long, told, LOUD_EVERY)
        self._spoken = prepared(*_cut_in_speech(long, told, frames), 0) if warm else self._examples
        lengths = np.cumsum([len(example.f0) for example in self._examples], dtype=np.float64)
        self._share = lengths / lengths[-1]

    def draw(
        self,
        count: int,
        rng: np.random.Generator,
        *,
        augmented: bool = True,
        beginnings: bool = False,
    ) -> DistillBatch:
        """Draw ``count`` crops; without ``augmented`` the trunk's input is the plain features.

        ``beginnings`` draws the starts of streams, where the contexts are empty: all frames count.
        Half of these streams begin where the recording does, half amid its speech.
        """
        crops = [self._crop(rng, beginnings) for _ in range(count)]
        columns, f0, voiced, bands, audio, contents, source, inputs = zip(*crops, strict=True)
        features = trunk_input = torch.from_numpy(np.stack(columns)).float()[:, :, None]
        if augmented and self._augment is not None:
            trunk_input = self._augment(features, self._config, rng)
        return DistillBatch(
            features,
            trunk_input,
            torch.from_numpy(np.stack(f0))[:, None, None],
            torch.from_numpy(np.stack(voiced))[:, None, None],
            None if bands[0] is None else torch.from_numpy(np.stack(bands)).float(),
            _sound(audio),
            inputs={
                name: torch.from_numpy(np.stack([each[name] for each in inputs]))[:, :, None]
                for name in set.intersection(*(set(each) for each in inputs))
            },
            contents=_stacked(contents),
            source=None if source[0] is None else _sound(source),
            warm=0 if beginnings else self.warm,
        )

    def _crop(
        self, rng: np.random.Generator, beginning: bool
    ) -> tuple[
        NDArray[np.float16],
        NDArray[np.float32],
        NDArray[np.float32],
        NDArray[np.float16] | None,
        NDArray[np.int16],
        NDArray[np.float16] | None,
        NDArray[np.int16] | None,
        Condition,
    ]:
        number = int(np.searchsorted(self._share, rng.random()))
        spoken = beginning and rng.random() < SPOKEN_SHARE
        example = (self._spoken if spoken else self._examples)[number]
        start = 0 if beginning else self._start(len(example.f0), rng)
        stop = start + self.frames
        features = example.features.draw(self._shares, rng)
        return (
            features[:, start:stop],
            example.f0[start:stop],
            example.voiced[start:stop],
            None if example.bands is None else example.bands[..., start:stop],
            example.audio[start * self.hop : stop * self.hop],
            None if example.contents is None else example.contents[:, start:stop],
            None if example.source is None else example.source[start * self.hop : stop * self.hop],
            {name: values[:, start:stop] for name, values in example.inputs.items()},
        )

    def _start(self, frames: int, rng: np.random.Generator) -> int:
        last = frames - self.frames
        early = rng.random() < EARLY_SHARE
        return int(rng.integers(0, min(last, self._early) if early else last))


@torch.no_grad()
def set_prior(student: Student, examples: Sequence[LabelledAudio]) -> None:
    """Set the mean of these recordings as the prior that normalises fresh streams of ``student``.

    The mean is over the louder half of each recording's frames, as the running mean would take it.
    """
    means = []
    for example in examples:
        example = example.at_hop(student.config.hop)
        source = torch.from_numpy(example.source.astype(np.float32) / 32767)
        log_mels = student.frontend.log_mels(source[None, None, None])[0, :, 0]
        means.append(channel_mean(log_mels)[:, 0])
    student.frontend.set_prior(torch.stack(means).mean(0))


def _cut_in_speech(
    examples: Mapping[int, LabelledAudio], told: Mapping[int, Condition], frames: int
) -> tuple[dict[int, LabelledAudio], dict[int, Condition]]:
    """Return ``frames`` frames of each example from a drawn frame of speech on, with conditions."""
    cut: dict[int, LabelledAudio] = {}
    conditions: dict[int, Condition] = {}
    for index, example in examples.items():
        power = frame_power(example.source.astype(np.float32), example.hop)[: len(example.f0)]
        speech = np.flatnonzero(power >= power.max() * SPEECH_POWER)
        drawn = int(np.random.default_rng(index).choice(speech))
        first = min(drawn, len(example.f0) - frames)
        cut[index] = example.excerpt(first, first + frames)
        conditions[index] = {
            name: values[:, first : first + frames] for name, values in told[index].items()
        }
    return cut, conditions


def _prepare(
    student: Student,
    example: LabelledAudio,
    features: InputFeatures,
    inputs: Condition,
    source: bool,
) -> _Example:
    f0, voiced, bands = targets_for(student, example)
    wait = student.config.lookahead  # its predictions are this many frames late
    return _Example(
        features,
        held_back(f0, wait),
        held_back(voiced, wait),
        None if bands is None else held_back(bands, wait),
        _delayed(example.target, student.delay),
        held_back(example.contents, wait) if len(example.contents) else None,
        _delayed(example.source, student.delay) if source else None,
        inputs,
    )


def _at_frames(given: Condition, frames: int) -> Condition:
    """Return conditions ``[size, frames]``: constants repeated, streams at the nearest frame."""
    return {
        name: values[:, np.arange(frames) * values.shape[1] // frames].astype(np.float32)
        for name, values in given.items()
    }


def _stacked(contents: tuple[NDArray[np.float16] | None, ...]) -> Tensor | None:
    """Return contents as ``[B, C, 1, F]``; None unless every crop has them."""
    found = [each for each in contents if each is not None]
    if len(found) < len(contents):
        return None
    return torch.from_numpy(np.stack(found)).float()[:, :, None]


def _delayed(audio: NDArray[np.int16], samples: int) -> NDArray[np.int16]:
    return np.pad(audio, (samples, 0))[: len(audio)]


def _sound(crops: tuple[NDArray[np.int16], ...]) -> Tensor:
    return torch.from_numpy(np.stack(crops)).float() / 32767
