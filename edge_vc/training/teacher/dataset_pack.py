"""A training set small enough to carry to a GPU.

Recordings travel as Ogg Opus, their pitch as numbers; what a network is to imitate is cleaned from
the recordings again where it is unpacked, and other voices are made while training. Reading needs
neither WORLD nor the corpus.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save

from edge_vc.data.pair_set import HOP, SAMPLE_RATE, PairSet, as_int16, cleaned
from edge_vc.models.weights_file import opened_weights
from edge_vc.training.student.phones import PHONES, UNKNOWN, Phones
from edge_vc.training.teacher.dataset import Pack
from edge_vc.workers.ordered import parallel_map
from edge_vc.workers.progress import Progress, no_progress
from edge_vc_runtime.audio.ogg_stream import numbered
from edge_vc_runtime.files.writing import write_whole

Bytes = NDArray[np.uint8]

_HERTZ_STEPS = 10
_LARGEST_FRAMES = 360_000
"""Of one recording: an hour."""


class PackError(ValueError):
    """A pack that cannot be read; one line with the file and the fact."""


HASHES = "pack.json"
"""Beside the parts: their names and sha256."""


@dataclass(frozen=True)
class PackSettings:
    """How hard sound is compressed, 0 (256 kbit/s) to 1 (8 kbit/s), and how large parts are."""

    own: float = 0.76
    """Of the voice to imitate: about 70 kbit/s."""
    others: float = 0.86
    variants: float = 0.9
    """Of perturbed copies: inputs alone."""
    part_mb: float = 28.0


def write_pack(pack: Pack, folder: Path, target: str, settings: PackSettings | None = None) -> int:
    """Write ``pack`` as ``part-NN.safetensors`` under ``folder``; return the bytes written."""
    settings = settings or PackSettings()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("part-*.safetensors"):
        old.unlink()
    part: dict[str, NDArray[Any]] = {}
    rows: list[dict[str, Any]] = []
    written = number = 0
    for tensors, row in _rows(pack, target, settings):
        size = sum(array.nbytes for array in (*part.values(), *tensors))
        if part and size > settings.part_mb * 1e6:
            written += _write_part(folder, number, part, rows)
            part, rows, number = {}, [], number + 1
        part |= {f"{len(rows)}.{n}": array for n, array in enumerate(tensors)}
        rows.append(row)
    written += _write_part(folder, number, part, rows)
    _write_hashes(folder)
    return written


def read_pack(folder: Path, workers: int = 1, progress: Progress = no_progress) -> Pack:
    """Read every part under ``folder`` with ``workers`` processes; `PackError` for a bad one."""
    paths = sorted(folder.glob("part-*.safetensors"))
    if not paths:
        raise PackError(f"{folder}: holds no part-*.safetensors; make them with --corpus")
    _check_hashes(folder, paths)
    jobs = [(path, index) for path in paths for index in range(len(_index(path)))]
    found = list(progress(parallel_map(_read, jobs, workers), len(jobs), "pack is read"))
    return Pack(
        tuple(item for item in found if isinstance(item, PairSet)),
        tuple(item[1] for item in found if isinstance(item, tuple) and item[0] == "noise"),
        tuple(item[1] for item in found if isinstance(item, tuple) and item[0] == "room"),
    )


def _rows(
    pack: Pack, target: str, settings: PackSettings
) -> Iterable[tuple[list[NDArray[Any]], dict[str, Any]]]:
    for pair in pack.pairs:
        level = settings.own if pair.speaker == target else settings.others
        sounds = [_encode(pair.inputs[0], level)]
        sounds += [_encode(variant, settings.variants) for variant in pair.inputs[1:]]
        pitch = np.round(pair.f0 * _HERTZ_STEPS).astype(np.int16)
        row = {"kind": "pair", "speaker": pair.speaker, "name": pair.name, "held": pair.held_out}
        phones = [] if pair.phones is None else [pair.phones]
        row |= {"frames": len(pair.f0), "phones": bool(phones)}
        yield [pitch, *phones, *sounds], row
    for noise in pack.noises:
        peak = max(float(np.abs(noise).max(initial=0.0)), 1e-9)
        whole = as_int16(noise / peak, len(noise) // HOP)
        yield [_encode(whole, settings.others)], {"kind": "noise"}
    for room in pack.rooms:
        yield [room], {"kind": "room"}


def _write_part(
    folder: Path, number: int, part: dict[str, NDArray[Any]], rows: Sequence[dict[str, Any]]
) -> int:
    path = folder / f"part-{number:02d}.safetensors"
    write_whole(path, save(part, {"rows": json.dumps(rows)}))
    return path.stat().st_size


def _write_hashes(folder: Path) -> None:
    """Write which parts there are, and their hashes."""
    parts = sorted(folder.glob("part-*.safetensors"))
    said = {path.name: _hash(path) for path in parts}
    write_whole(folder / HASHES, (json.dumps(said, indent=1) + "\n").encode())


def _check_hashes(folder: Path, parts: Sequence[Path]) -> None:
    """Raise `PackError` for a part that is not as it was written; packs of old have no hashes."""
    try:
        said = json.loads((folder / HASHES).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise PackError(f"{folder / HASHES}: cannot be read; make the pack again") from error
    there = {path.name: _hash(path) for path in parts}
    wrong = sorted({*there.items()} ^ {*said.items()} if isinstance(said, dict) else [(HASHES, "")])
    if wrong:
        raise PackError(
            f"{folder / wrong[0][0]}: is missing, damaged or of another pack; copy the folder "
            "again, or make it anew"
        )


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _encode(audio: NDArray[np.int16], level: float) -> Bytes:
    file = io.BytesIO()
    soundfile.write(file, audio, SAMPLE_RATE, "OPUS", format="OGG", compression_level=level)
    return np.frombuffer(numbered(file.getvalue()), np.uint8)


def _decode(sound: Bytes) -> NDArray[np.float32]:
    audio, rate = soundfile.read(io.BytesIO(sound.tobytes()), dtype="float32")
    if rate != SAMPLE_RATE or audio.ndim != 1:
        raise PackError(
            f"a recording has {rate} Hz and shape {audio.shape}; packs hold mono 16 kHz"
        )
    return np.asarray(audio, np.float32)


def _index(path: Path) -> list[dict[str, Any]]:
    try:
        with opened_weights(path, "np") as file:
            rows = json.loads((file.metadata() or {})["rows"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise PackError(f"{path}: not part of a pack: {error}") from error
    return list(rows)


def _read(job: tuple[Path, int]) -> PairSet | tuple[str, NDArray[np.float32]]:
    """Read one row of a part."""
    path, number = job
    row = _index(path)[number]
    try:
        with opened_weights(path, "np") as file:
            names = sorted(
                (name for name in file.keys() if name.startswith(f"{number}.")),  # noqa: SIM118
                key=lambda name: int(name.split(".")[1]),
            )
            tensors = [file.get_tensor(name) for name in names]
        if row["kind"] == "pair":
            return _pair(row, tensors)
        return row["kind"], _decode(tensors[0]) if row["kind"] == "noise" else tensors[0]
    except (SafetensorError, soundfile.LibsndfileError, KeyError, ValueError, IndexError) as error:
        raise PackError(f"{path}: recording {number} is not readable: {error}") from error


def _pair(row: dict[str, Any], tensors: Sequence[NDArray[Any]]) -> PairSet:
    frames = int(row["frames"])
    if not 0 < frames <= _LARGEST_FRAMES or len(tensors[0]) != frames:
        raise PackError(f"{row['name']}: {frames} frames, pitch of {len(tensors[0])}")
    first = 2 if row.get("phones") else 1
    phones = tensors[1].astype(np.int8) if first == 2 else None
    if phones is not None and (phones.shape != (frames,) or not _are_phones(phones)):
        raise PackError(f"{row['name']}: phones are not {frames} indices of phones")
    sounds = [_decode(sound) for sound in tensors[first:]]
    return PairSet(
        str(row["speaker"]),
        str(row["name"]),
        (tensors[0] / np.float32(_HERTZ_STEPS)).astype(np.float32),
        as_int16(cleaned(sounds[0]), frames),
        np.stack([as_int16(sound, frames) for sound in sounds]),
        bool(row["held"]),
        phones,
    )


def _are_phones(found: Phones) -> bool:
    return bool(found.min() >= UNKNOWN and found.max() < len(PHONES))
