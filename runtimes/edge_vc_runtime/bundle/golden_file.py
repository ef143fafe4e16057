"""Reading an untrusted golden recording: every array's size is checked before allocation.

A file of kilobytes can unpack to gigabytes of zeros, and an array's header can state any size.
"""

from __future__ import annotations

import io
import zipfile
import zlib

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from edge_vc_runtime.bundle.manifest import BundleError

GOLDEN_LIMIT = 1 << 26
"""Largest golden recording in bytes, packed and unpacked: its input and an output per precision."""
_ARRAYS = 16
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_FOREIGN = (
    zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, OSError, RuntimeError,
    NotImplementedError, SyntaxError, TypeError, RecursionError, MemoryError, OverflowError,
)  # fmt: skip  # what zipfile and numpy raise for damaged files


def read_golden(data: bytes) -> dict[str, NDArray[np.float32]]:
    """Return an ``npz`` file's arrays, float32 ``[N]`` of equal length, one of them ``input``.

    Raises `BundleError` for everything else.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            _check_members(members)
            arrays = {_key(each.filename): _array(archive.read(each)) for each in members}
    except BundleError:
        raise
    except _FOREIGN as error:
        raise BundleError("is not a plain npz file") from error
    if "input" not in arrays or len({array.size for array in arrays.values()}) != 1:
        raise BundleError("has to hold float32 vectors of one length")
    return arrays


def _check_members(members: list[zipfile.ZipInfo]) -> None:
    size = sum(member.file_size for member in members)
    if size > GOLDEN_LIMIT:
        raise BundleError(f"{size} bytes of arrays, at most {GOLDEN_LIMIT} are allowed")
    names = {member.filename for member in members}
    if len(members) > _ARRAYS or len(names) != len(members):
        raise BundleError(f"holds {len(members)} arrays, at most {_ARRAYS} of different names may")
    for member in members:
        if member.compress_type not in _PACKINGS or member.flag_bits & _ENCRYPTED:
            raise BundleError("is not a plain npz file")


def _key(name: str) -> str:
    return name.removesuffix(".npy")


def _array(content: bytes) -> NDArray[np.float32]:
    """Return the vector of one ``npy`` file, whose size has to match its header exactly."""
    file = io.BytesIO(content)
    read_header = _HEADERS[npy.read_magic(file)]
    shape, _, kind = read_header(file)
    if kind.hasobject:
        raise ValueError("an array of Python's objects is a pickle")
    rest = len(content) - file.tell()
    if len(shape) != 1 or kind != np.dtype("<f4"):
        raise BundleError("has to hold float32 vectors of one length")
    if rest != 4 * shape[0]:
        raise BundleError(f"holds {rest} bytes for {shape[0]} samples: damaged")
    return np.frombuffer(content, "<f4", offset=file.tell()).astype(np.float32)
