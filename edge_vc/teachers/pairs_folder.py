"""Recordings that another tool converted, as a teacher: LLVC's dataset layout."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_vc.audio.io import AudioError, Samples, read_audio, seconds_of
from edge_vc.audio.long_audio import file_blocks
from edge_vc.audio.scan import scan_audio
from edge_vc.audio.span import Span
from edge_vc.audio.stream import cut
from edge_vc.settings.field import choice, number
from edge_vc.settings.paths import path_field
from edge_vc.teachers.kind import TeacherKind
from edge_vc.teachers.outliers import OutlierError
from edge_vc.teachers.spec import HIGHEST_RATE, TeacherError, TeacherSpec
from edge_vc.teachers.waveform_teacher import SLACK_MS, fit_output

PARTS = ("train", "val", "dev")
"""Folders of the layout; files directly in the folder count as well."""
ORIGINAL, CONVERTED = "_original", "_converted"
SAME = 0.999
"""Correlation from which audio counts as a given recording, cut or at another level."""
PEAK = 0.89
NEAR = 1e-3
"""Difference of two log gains up to which levels count as equal, 0.01 dB."""


@dataclass(frozen=True)
class PairsSpec(TeacherSpec):
    """A folder of recordings that another tool converted."""

    kind: str = choice("pairs", "pairs")
    path: str = path_field(needed=True, example="pairs", folder=True)
    """``NAME_original.wav`` beside ``NAME_converted.wav``, in ``train/``, ``val/``, ``dev/``."""
    sample_rate: int = number(16_000, 1_000, HIGHEST_RATE, "Hz")
    """Rate to which both are resampled."""


@dataclass(frozen=True)
class Pair:
    """One recording and its conversion."""

    original: Path
    converted: Path
    seconds: float
    """Duration of the original according to its header."""
    output_seconds: float


@dataclass(frozen=True)
class _Match:
    """A pair whose original is the recording, the recording's gain and the sample count."""

    pair: Pair
    gain: float
    samples: int


@dataclass(frozen=True)
class PairsFolder:
    """The contents of a folder of pairs."""

    root: Path
    pairs: tuple[Pair, ...]
    unmatched: tuple[Path, ...]
    """Files with one half of a pair, or that are not audio."""

    @classmethod
    def open(cls, root: Path) -> PairsFolder:
        """List a folder's pairs; raises `TeacherError` if there are none."""
        if not root.is_dir():
            raise TeacherError(f'teacher.path = "{root}": no such folder')
        found = scan_audio(root, ("", *PARTS))
        halves: dict[Path, dict[str, Path]] = defaultdict(dict)
        for path in found.files:
            for role in (ORIGINAL, CONVERTED):
                if path.stem.endswith(role):
                    halves[path.with_name(path.stem.removesuffix(role))][role] = path
        pairs = [pair for both in halves.values() if (pair := _pair(both))]
        used = {path for pair in pairs for path in (pair.original, pair.converted)}
        single = [path for path in found.files if path not in used]
        unmatched = tuple(sorted([*single, *(item.path for item in found.left_out)]))
        if not pairs:
            raise TeacherError(
                f"{root}: holds no pair NAME{ORIGINAL}.wav, NAME{CONVERTED}.wav, in itself or in "
                f"{', '.join(PARTS)}{describe(unmatched)}"
            )
        return cls(root, tuple(pairs), unmatched)


def describe(unmatched: tuple[Path, ...]) -> str:
    """Return how many files have no other half, with the first names; empty for none."""
    if not unmatched:
        return ""
    names = ", ".join(path.name for path in unmatched[:5])
    more = ", ..." if len(unmatched) > 5 else ""
    return f"; {len(unmatched)} files without their other half: {names}{more}"


def load(spec: PairsSpec) -> PairsTeacher:
    """Open the folder; raises `TeacherError`."""
    return PairsTeacher(PairsFolder.open(Path(spec.path)), spec.sample_rate)


def sources(spec: PairsSpec) -> list[Path]:
    """Return the files of all pairs."""
    pairs = PairsFolder.open(Path(spec.path)).pairs
    return [path for pair in pairs for path in (pair.original, pair.converted)]


class PairsTeacher:
    """Converts the recordings in its folder and no others.

    A recording is recognised by its samples, so its path may differ, and it may be up to `SLACK_MS`
    shorter at the end or at another level; its conversion is returned at that level too.
    """

    def __init__(self, folder: PairsFolder, sample_rate: int) -> None:
        self.folder = folder
        self._rate = sample_rate
        self._by_second: Mapping[int, list[Pair]] = _by_second(folder.pairs)

    @property
    def sample_rate(self) -> int:
        """Rate of input and output in Hz."""
        return self._rate

    def convert(self, audio: Samples) -> Samples:
        """Return the conversion of ``audio`` ``[T]``, ``[T]``.

        Raises `TeacherError` for a recording that is not in the folder, `OutlierError` for a
        conversion of another length.
        """
        found = []
        for pair in self._candidates(len(audio)):
            original = read_audio(pair.original, self._rate)
            gain = _gain(original, audio)
            if gain is not None:
                found.append(_Match(pair, gain, len(original)))
        match = self._nearest(found)
        output = read_audio(match.pair.converted, self._rate)
        fitted = fit_output(output, match.samples, self._rate, self._rate)[: len(audio)]
        peak = max(float(np.abs(fitted).max()), 1e-9)
        return fitted * np.float32(min(match.gain, max(PEAK / peak, 1.0)))

    def convert_part(self, audio: Samples, start: int, total: int) -> Samples:
        """Return the conversion of ``audio`` ``[T]``, samples from ``start`` of ``total``, ``[T]``.

        No more than that of both files is held in memory. Raises as `convert` does.
        """
        span = Span(start, start + len(audio))
        found = []
        for pair in self._candidates(total):
            gain = _gain(self._part(pair.original, span), audio)
            if gain is not None:
                found.append(_Match(pair, gain, len(audio)))
        match = self._nearest(found)
        pair = match.pair
        if abs(pair.output_seconds - pair.seconds) > SLACK_MS / 1000:
            fact = f"{pair.output_seconds:.2f} s for {pair.seconds:.2f} s"
            raise OutlierError("wrong length", fact)
        output = self._part(pair.converted, span)
        peak = max(float(np.abs(output).max(initial=0.0)), 1e-9)
        fitted = np.pad(output, (0, len(audio) - len(output)))
        return fitted * np.float32(min(match.gain, max(PEAK / peak, 1.0)))

    def _nearest(self, found: list[_Match]) -> _Match:
        """Return the match with the nearest level; refuse two that differ only in conversion.

        A folder may contain one recording at several levels, each with its own conversion.
        """
        if not found:
            count = len(self.folder.pairs)
            raise TeacherError(
                f"{self.folder.root}: none of its {count} originals is this recording"
            )
        first, *others = sorted(found, key=lambda match: abs(np.log(abs(match.gain))))
        for other in others:
            near = abs(np.log(abs(other.gain / first.gain))) < NEAR
            both = (first.pair.converted, other.pair.converted)
            if near and both[0].read_bytes() != both[1].read_bytes():
                names = " and ".join(str(path.relative_to(self.folder.root)) for path in both)
                raise TeacherError(
                    f"{self.folder.root}: {names} are two conversions of one recording; remove one"
                )
        return first

    def _part(self, path: Path, span: Span) -> Samples:
        return next(cut(file_blocks(path, self._rate), [span]))

    def _candidates(self, samples: int) -> list[Pair]:
        seconds = samples / self._rate
        near = [
            pair
            for second in range(int(seconds) - 1, int(seconds) + 2)
            for pair in self._by_second.get(second, [])
        ]
        return [pair for pair in near if abs(pair.seconds - seconds) <= SLACK_MS / 1000]


def _pair(halves: Mapping[str, Path]) -> Pair | None:
    if len(halves) < 2:
        return None
    try:
        # Both headers are read: a file that is not audio makes no pair.
        lengths = [seconds_of(halves[role]) for role in (ORIGINAL, CONVERTED)]
    except AudioError:
        return None
    return Pair(halves[ORIGINAL], halves[CONVERTED], *lengths)


def _by_second(pairs: tuple[Pair, ...]) -> Mapping[int, list[Pair]]:
    found: dict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        found[int(pair.seconds)].append(pair)
    return found


def _gain(original: Samples, audio: Samples) -> float | None:
    """Return the gain of ``audio`` relative to ``original``; None if it is another recording."""
    length = min(len(original), len(audio))
    known, asked = original[:length].astype(np.float64), audio[:length].astype(np.float64)
    powers = float(known @ known), float(asked @ asked)
    if length and not any(powers):
        return 1.0  # a silent part of a long recording
    if length == 0 or 0.0 in powers:
        return None
    product = float(known @ asked)
    same = product / np.sqrt(powers[0] * powers[1]) >= SAME
    return product / powers[0] if same else None


KIND = TeacherKind(PairsSpec, load, sources)
