"""Recordings labelled by a teacher, from which a student is distilled."""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples

HOP = 160
"""Samples per frame of labels at 16 kHz; `LabelledAudio.at_hop` converts to other hops."""
INPUT_DB = -23.0


class LabelsError(ValueError):
    """A damaged file of labels; the message is one line with the fix."""


@dataclass(frozen=True)
class LabelledAudio:
    """One training example of ``F`` hops."""

    source: NDArray[np.int16]
    """``[F * hop]``"""
    target: NDArray[np.int16]
    """The teacher's output, aligned, ``[F * hop]``."""
    f0: NDArray[np.float32]
    """F0 of the output in Hz at the middle of each hop, 0 where unvoiced, ``[F]``."""
    bands: NDArray[np.float16]
    """The teacher's filter bands ``[3 * bands, F]``; ``[0, F]`` from a teacher without any."""
    contents: NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, 0), np.float16))
    """Content features as given to the teacher's decoder, ``[C, F]``; none from other teachers."""

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return len(self.source) // max(1, len(self.f0))

    def at_hop(self, hop: int) -> LabelledAudio:
        """Return the same recording in frames of ``hop`` samples, cut to whole frames.

        F0 and the magnitude bands are interpolated between the middles of frames; voicing and
        phases are those of the nearest frame.
        """
        if hop == self.hop:
            return self
        frames = len(self.source) // hop
        places = np.clip((np.arange(frames) + 0.5) * hop / self.hop - 0.5, 0, len(self.f0) - 1)
        return LabelledAudio(
            self.source[: frames * hop],
            self.target[: frames * hop],
            _f0_at(self.f0, places),
            _bands_at(self.bands, places),
            _between(self.contents, places) if len(self.contents) else self.contents,
        )

    def excerpt(self, start: int, stop: int) -> LabelledAudio:
        """Return the frames from ``start`` up to ``stop``."""
        samples = slice(start * self.hop, stop * self.hop)
        return LabelledAudio(
            self.source[samples],
            self.target[samples],
            self.f0[start:stop],
            self.bands[..., start:stop],
            self.contents[:, start:stop],
        )


def _f0_at(f0: NDArray[np.float32], places: NDArray[np.float64]) -> NDArray[np.float32]:
    voiced = np.flatnonzero(f0 > 0)
    if not len(voiced):
        return np.zeros(len(places), np.float32)
    moved = np.interp(places, voiced, f0[voiced])
    return np.where(f0[np.round(places).astype(int)] > 0, moved, 0).astype(np.float32)


def _between(values: NDArray[np.float16], places: NDArray[np.float64]) -> NDArray[np.float16]:
    before = np.floor(places).astype(int)
    after = np.minimum(before + 1, values.shape[1] - 1)
    share = (places - before).astype(np.float32)
    moved: NDArray[np.float16] = (
        values[:, before] * (1 - share) + values[:, after] * share
    ).astype(np.float16)
    return moved


def _bands_at(bands: NDArray[np.float16], places: NDArray[np.float64]) -> NDArray[np.float16]:
    moved = _between(bands, places)
    phases = slice(len(bands) // 3, len(bands) // 3 * 2)
    moved[phases] = bands[phases][:, np.round(places).astype(int)]
    return moved


def to_int16(audio: Samples) -> NDArray[np.int16]:
    """Return ``[T]`` as 16-bit samples, clipped at full scale."""
    return np.round(np.clip(audio, -1, 1) * 32767).astype(np.int16)


def pack_labels(labels: LabelledAudio) -> bytes:
    """Return the content of an ``.npz`` file that `load_labels` reads."""
    file = io.BytesIO()
    arrays: dict[str, Any] = {
        "source": labels.source,
        "target": labels.target,
        "f0": labels.f0,
        "bands": labels.bands,
    }
    if len(labels.contents):
        arrays["contents"] = labels.contents
    np.savez(file, **arrays)
    return file.getvalue()


def load_labels(path: Path) -> LabelledAudio:
    """Read the labels that a job stored; raises `LabelsError` for a damaged file."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            more = {name: stored[name] for name in ("contents",) if name in stored}
            return LabelledAudio(
                stored["source"], stored["target"], stored["f0"], stored["bands"], **more
            )
    except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise LabelsError(
            f"{path}: these labels are missing or damaged; run the same command again, which "
            "makes them anew"
        ) from error
