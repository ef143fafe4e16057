"""Checks what a ``.pt2`` file contains before it is passed to torch.

`torch.export.load` unpickles some members without restriction, evaluates size expressions and looks
up operators by name, so an untrusted file could run code. Everything that could is checked here
first; what is neither a plain tensor nor a named computation is refused. Written for the archive of
torch 2.13; anything unknown is refused.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from edge_vc.teachers.spec import TeacherError

MAX_BYTES = 8 * 2**30
"""Largest unpacked size of an archive."""

_ROOT = "program"
_CONFIGS = (
    "data/weights/model_weights_config.json",
    "data/constants/model_constants_config.json",
)
_SAMPLES = "data/sample_inputs/model.pt"
_GRAPH = "models/model.json"
_FOREIGN: tuple[type[Exception], ...] = (
    zipfile.BadZipFile, zlib.error, OSError, ValueError, KeyError, AttributeError, TypeError,
    RecursionError, OverflowError, MemoryError, EOFError, RuntimeError, struct.error,
)  # fmt: skip  # what zipfile, json and the checks raise for a damaged file
# Sizes in bytes of the parts of a zip archive; the end may be of the 64-bit kind.
_LOCAL_HEADER, _LENGTHS_AT, _CENTRAL_HEADER = 30, 26, 46
_DESCRIPTOR, _END = 24, 56 + 20 + 22
_MEMBERS = re.compile(
    r"data/weights/(weight_\d+|model_weights_config\.json)"
    r"|data/constants/(tensor_\d+|model_constants_config\.json)"
    r"|models/model\.json|data/sample_inputs/model\.pt"
    r"|archive_format|archive_version|byteorder|\.data/(version|serialization_id)"
)
_OPERATOR = re.compile(
    r"torch\.ops\.(aten|prims)\.(?!from_file)[a-zA-Z][a-zA-Z0-9_]*\.[a-zA-Z][a-zA-Z0-9_]*"
    r"|torch\.ops\.aten\.__(and|or|xor|lshift|rshift)__\.[a-zA-Z]+"
    r"|_operator\.(add|sub|mul|floordiv|truediv|mod|pow|neg|eq|ne|lt|le|gt|ge|getitem|and_|or_)"
    r"|torch\.sym_(int|float|max|min|not|sqrt|ite)|math\.(ceil|floor|trunc)"
)
_NAMED = ("name", "as_name", "forward_arg_names")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_EXPRESSION = re.compile(r"(?:[A-Za-z]\w*|'[su]\d+'|\d+(?:\.\d+)?|[ ()+*/,=<>-])*")
_WORDS = {
    "Symbol", "Integer", "positive", "integer", "nonnegative", "True", "False", "Max", "Min",
    "Mod", "Mul", "Add", "Pow", "Rational", "evaluate", "FloorDiv", "CeilDiv", "CleanDiv",
    "PythonMod", "ModularIndexing", "IntTrueDiv", "CeilToInt", "FloorToInt", "PowByNatural",
    "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And", "Or", "Not",
}  # fmt: skip
_TREES = {None, "builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict"}


def read_archive(path: Path) -> io.BytesIO:
    """Return an archive that is safe for `torch.export.load`: the checked members, rewritten.

    A file can have two directories of members, of which torch and `zipfile` each use a different
    one; here, torch parses what was checked. Raises `TeacherError` with the first thing in the
    file that is neither a tensor nor a computation.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive)
            return _rewritten(path, archive)
    except TeacherError:
        raise
    except _FOREIGN as error:
        fact = (str(error).splitlines() or [type(error).__name__])[0]
        raise TeacherError(f"{path}: no torch.export program of this torch ({fact})") from error


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    """Check the names and sizes of members before any is unpacked."""
    names = archive.namelist()
    # The members share one folder, named like the file when it was saved.
    roots = {name.partition("/")[0] for name in names}
    inside = [name.partition("/")[2] for name in names]
    if len(roots) != 1 or len(set(inside)) != len(inside):
        raise TeacherError(
            f"{path}: is not a torch.export archive: {len(roots)} folders at its top"
        )
    if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
        raise TeacherError(f"{path}: is larger than {MAX_BYTES // 2**30} GiB unpacked")
    for name in inside:
        if not _MEMBERS.fullmatch(name):
            raise TeacherError(f"{path}: holds {name}, which is not weights, constants or a graph")
    _check_layout(path, archive)


def _check_layout(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse bytes that belong to no member, which could hide a second archive."""
    with path.open("rb") as file:
        end = 0
        for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
            if not 0 <= info.header_offset - end <= _DESCRIPTOR:
                raise TeacherError(f"{path}: holds bytes outside of its members; save it again")
            file.seek(info.header_offset + _LENGTHS_AT)
            name, extra = struct.unpack("<HH", file.read(4))
            end = info.header_offset + _LOCAL_HEADER + name + extra + info.compress_size
        directory = sum(
            _CENTRAL_HEADER + len(info.filename.encode()) + len(info.extra) + len(info.comment)
            for info in archive.infolist()
        )
        last = archive.start_dir + directory
        if not 0 <= archive.start_dir - end <= _DESCRIPTOR or file.seek(0, 2) - last > _END:
            raise TeacherError(f"{path}: holds bytes outside of its members; save it again")


def _rewritten(path: Path, archive: zipfile.ZipFile) -> io.BytesIO:
    """Return an archive of the members' contents, each checked as it is copied."""
    fresh = io.BytesIO()
    seen = set()
    with zipfile.ZipFile(fresh, "w") as made:
        for info in archive.infolist():
            name = info.filename.partition("/")[2]
            seen.add(name)
            made.writestr(f"{_ROOT}/{name}", _checked(path, name, archive.read(info)))
    for name in (*_CONFIGS, _SAMPLES, _GRAPH):
        if name not in seen:
            raise KeyError(f"there is no {name} in it")
    fresh.seek(0)
    return fresh


def _checked(path: Path, name: str, content: bytes) -> bytes:
    """Return a member's content after checking it; JSON is returned as it was parsed here."""
    if name == _SAMPLES:
        return _checked_samples(path, content)
    if not name.endswith(".json"):
        return content
    value = json.loads(content)
    if name in _CONFIGS:
        _check_payloads(path, value)
    if name == _GRAPH:
        for key, leaf in _walk(value):
            _check_value(path, key, leaf)
    return json.dumps(value).encode()


def _check_payloads(path: Path, config: dict[str, Any]) -> None:
    for name, payload in config["config"].items():
        if payload["use_pickle"] or not re.fullmatch(r"(weight|tensor)_\d+", payload["path_name"]):
            raise TeacherError(
                f"{path}: {name!r} is stored as a pickle ({payload['path_name']}), which could run "
                "code; export a program whose weights are plain tensors"
            )


def _checked_samples(path: Path, content: bytes) -> bytes:
    """Load the stored example inputs as weights only and store them again: torch unpickles them.

    torch also tries weights only first, but then falls back to any pickle.
    """
    fresh = io.BytesIO()
    try:
        torch.save(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True), fresh)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise TeacherError(
            f"{path}: its example inputs hold more than tensors, which could run code; "
            "export it with tensors as example inputs"
        ) from error
    return fresh.getvalue()


def _check_value(path: Path, key: str, value: object) -> None:
    """Check one leaf of the graph that torch looks up, evaluates or writes into code."""
    if key in ("target", "as_operator") and not _OPERATOR.fullmatch(str(value)):
        raise TeacherError(f"{path}: calls {value!r}, which is not one of torch's tensor operators")
    if key == "expr_str" and not _is_expression(str(value)):
        raise TeacherError(f"{path}: has {str(value)[:60]!r} as a size, which is not an expression")
    if (
        key in ("name", "as_name", "forward_arg_names")
        and value
        and not _NAME.fullmatch(str(value))
    ):
        raise TeacherError(f"{path}: has {str(value)[:60]!r} as a name")
    if key in ("in_spec", "out_spec") and value:
        for inner, kind in _walk(json.loads(str(value))):
            # A context is JSON inside JSON: for plain containers it holds keys, never "fqn".
            odd = (
                kind not in _TREES if inner == "type" else inner == "context" and "fqn" in str(kind)
            )
            if odd:
                raise TeacherError(f"{path}: has arguments of type {kind!r}; give tensors alone")


def _is_expression(text: str) -> bool:
    words = re.findall(r"(?<!')\b[A-Za-z]\w*", text)
    known = all(word in _WORDS or re.fullmatch(r"[su]\d+", word) for word in words)
    return bool(_EXPRESSION.fullmatch(text)) and known


def _walk(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Yield all leaves of parsed JSON with their keys."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, key)
    else:
        yield key, value
