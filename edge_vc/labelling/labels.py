"""Recordings labelled by a teacher: what a student is distilled from."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import AudioError, Samples, resample
from edge_vc.audio.level import normalize_level
from edge_vc.audio.pitch import track_pitch
from edge_vc.data.corpus import Utterance
from edge_vc.teachers.teacher import Labels, Teacher

HOP = 160
INPUT_DB = -23.0


@dataclass(frozen=True)
class LabelledAudio:
    """One training example of ``F`` hops."""

    source: NDArray[np.int16]
    """``[F * hop]``"""
    target: NDArray[np.int16]
    """The teacher's answer, aligned, ``[F * hop]``."""
    f0: NDArray[np.float32]
    """F0 of the answer in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
    bands: NDArray[np.float16]
    """The teacher's filter bands ``[3 * bands, F]``; ``[0, F]`` from a teacher without any."""


def label_audio(teacher: Teacher, audio: Samples) -> LabelledAudio:
    """Let ``teacher`` convert ``audio`` ``[T]``; raises `AudioError` for an unusable answer."""
    source = normalize_level(audio, teacher.sample_rate, INPUT_DB)
    source = source[: len(source) // HOP * HOP]
    frames = len(source) // HOP
    look_inside: Callable[[Samples], Labels] | None = getattr(teacher, "label", None)
    if look_inside is not None:
        labels = look_inside(source)
        target, f0, bands = labels.audio, labels.f0, labels.bands
    else:
        target = teacher.convert(source)
        f0 = track_pitch(target, teacher.sample_rate, HOP // 2).f0[1::2][:frames]
        bands = np.zeros((0, frames), np.float32)
    if target.shape != source.shape:
        raise AudioError(f"the teacher returned {target.shape} for {source.shape} samples")
    if not np.isfinite(target).all():
        raise AudioError("the teacher returned NaN or infinite samples")
    return LabelledAudio(to_int16(source), to_int16(target), f0, bands.astype(np.float16))


def label_corpus(
    teacher: Teacher,
    utterances: Sequence[Utterance],
    cache: Path,
    *,
    teacher_hash: str,
    speeds: Sequence[float] = (1.0,),
    progress: Callable[[Iterable[Path], int], Iterable[Path]] | None = None,
) -> list[LabelledAudio]:
    """Label every utterance at every speed under ``cache``; what is there is kept.

    A ``speed`` other than 1 plays the recording faster or slower, pitch and formants included:
    another speaker, for the price of a resampling. ``progress`` wraps the iterator of finished
    files, given their number.
    """
    cache.mkdir(parents=True, exist_ok=True)
    jobs = [(utterance, speed) for utterance in utterances for speed in speeds]

    def work() -> Iterable[Path]:
        for utterance, speed in jobs:
            yield _labelled_file(teacher, utterance, speed, cache, teacher_hash)

    done = progress(work(), len(jobs)) if progress else work()
    return [load_labels(path) for path in done]


def to_int16(audio: Samples) -> NDArray[np.int16]:
    """Return ``[T]`` as 16-bit samples, clipped at full scale."""
    return np.round(np.clip(audio, -1, 1) * 32767).astype(np.int16)


def pack_labels(labels: LabelledAudio) -> bytes:
    """Return the content of an ``.npz`` file that `load_labels` reads."""
    file = io.BytesIO()
    np.savez(file, source=labels.source, target=labels.target, f0=labels.f0, bands=labels.bands)
    return file.getvalue()


def load_labels(path: Path) -> LabelledAudio:
    """Read what `label_corpus` or a label job stored."""
    with np.load(path, allow_pickle=False) as stored:
        return LabelledAudio(stored["source"], stored["target"], stored["f0"], stored["bands"])


def _labelled_file(
    teacher: Teacher, utterance: Utterance, speed: float, cache: Path, teacher_hash: str
) -> Path:
    content = hashlib.sha256(utterance.path.read_bytes())
    content.update(f"{teacher_hash}:{speed}".encode())
    path = cache / f"{content.hexdigest()[:32]}.npz"
    if not path.exists():
        rate = teacher.sample_rate
        audio = utterance.read(rate)
        audio = audio if speed == 1 else resample(audio, round(rate * speed), rate)
        part = path.with_suffix(".part")
        part.write_bytes(pack_labels(label_audio(teacher, audio)))
        part.replace(path)
    return path
