"""The golden recording: speech and the output of every precision for it, to check a board."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edge_vc.audio.io import Samples
from edge_vc_export.parity.open_stream import open_stream

SECONDS = 2.0
TOLERANCES = {"int8": 3e-2, "fp32": 1e-4, "dynamic-int8": 3e-2}
"""Largest allowed absolute sample difference on another machine.

Kernels add floats in different orders, and an activation halfway between two integers may be
rounded to either: one such value changed the waveform by 0.008 (44 dB below it) on emulated Arm
cores, where float models stayed within 5e-7. The kernels of tflite-runtime round differently, by
0.021 (35 dB). INT8 itself differs from float by 0.06.
"""


def agreeing_piece(models: Mapping[str, Sequence[Path]], audio: Samples) -> Samples:
    """Return the first `SECONDS` of ``audio`` for which all formats of a precision agree.

    ``models`` are graph files by precision. An F0 at the edge of two steps of its accumulator can
    be rounded to either by two engines, which shifts the waveform from there on by more than the
    tolerance although both are right: such a piece cannot check a board. Pieces in which the
    formats differ by at most half the tolerance are taken; without any, the one that differs least.
    """
    some = [path for paths in models.values() for path in paths]
    rate = open_stream(some[0]).metadata.sample_rate
    length = round(SECONDS * rate)
    starts = range(0, max(1, len(audio) - length + 1), length)
    pieces = [audio[start : start + length] for start in starts]
    if len(some) == len(models):
        return pieces[0]
    least = []
    for piece in pieces:
        share = max(_difference(paths, piece) / TOLERANCES[p] for p, paths in models.items())
        if share <= 0.5:
            return piece
        least.append(share)
    return pieces[int(np.argmin(least))]


def _difference(paths: Sequence[Path], piece: Samples) -> float:
    """Return the largest difference of the outputs of ``paths`` from the first one's."""
    streams = [open_stream(path) for path in paths]
    whole = piece[: len(piece) // streams[0].metadata.hop * streams[0].metadata.hop]
    first, *others = (stream.run(whole)[0] for stream in streams)
    return max((float(np.abs(other - first).max(initial=0.0)) for other in others), default=0.0)


def record_golden(models: Mapping[str, Path], audio: Samples) -> dict[str, Samples]:
    """Return ``input [N]`` and ``output.<precision> [N]`` for graph files by precision.

    ``audio`` is cut to whole hops and to `SECONDS`. Outputs are the graphs' raw outputs, including
    the delay of the look-ahead.
    """
    arrays: dict[str, Samples] = {}
    for precision, path in sorted(models.items()):
        stream = open_stream(path)
        length = min(audio.shape[0], round(SECONDS * stream.metadata.sample_rate))
        piece = audio[: length // stream.metadata.hop * stream.metadata.hop]
        arrays["input"] = np.ascontiguousarray(piece, np.float32)
        (arrays[f"output.{precision}"],) = stream.run(piece)
    return arrays


def npz_bytes(arrays: Mapping[str, Samples]) -> bytes:
    """Return an ``.npz`` archive of ``arrays``; the same arrays give the same bytes.

    `numpy.savez` would store the current time in it.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in sorted(arrays.items()):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix, regardless of the writing system
            archive.writestr(entry, member.getvalue())
    return file.getvalue()
