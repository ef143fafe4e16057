"""What a ``.pt2`` file may hold before torch is given it.

`torch.export.load` unpickles some members without restriction, evaluates size expressions and
looks operators up by name, so a stranger's file could run code. Everything it would do that with
is checked here first; what is neither a plain tensor nor a named computation is refused. Written
for the archive of torch 2.13 and refuses what it does not know.
"""

from __future__ import annotations

import io
import json
import pickle
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from edge_vc.teachers.spec import TeacherError

MAX_BYTES = 8 * 2**30
"""Largest archive that is read, unpacked."""

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
    """Return the bytes of a ``.pt2`` file that `torch.export.load` may be given.

    Raises `TeacherError` with the first thing in it that is neither tensor nor computation.
    """
    try:
        content = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_members(path, archive)
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, AttributeError) as error:
        if isinstance(error, TeacherError):
            raise
        fact = (str(error).splitlines() or [type(error).__name__])[0]
        raise TeacherError(f"{path}: no torch.export program of this torch ({fact})") from error
    return io.BytesIO(content)


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    # The members share one folder, named as the file was when it was saved.
    roots = {name.partition("/")[0] for name in names}
    inside = [name.partition("/")[2] for name in names]
    if len(roots) != 1 or len(set(inside)) != len(inside):
        raise TeacherError(f"{path}: is no torch.export archive: {len(roots)} folders at its top")
    if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
        raise TeacherError(f"{path}: is larger than {MAX_BYTES // 2**30} GiB unpacked")
    for name in inside:
        if not _MEMBERS.fullmatch(name):
            raise TeacherError(f"{path}: holds {name}, which is not weights, constants or a graph")
    root = roots.pop()
    for config in ("data/weights/model_weights", "data/constants/model_constants"):
        _check_payloads(path, json.loads(archive.read(f"{root}/{config}_config.json")))
    _check_samples(path, archive.read(f"{root}/data/sample_inputs/model.pt"))
    for key, value in _walk(json.loads(archive.read(f"{root}/models/model.json"))):
        _check_value(path, key, value)


def _check_payloads(path: Path, config: dict[str, Any]) -> None:
    for name, payload in config["config"].items():
        if payload["use_pickle"] or not re.fullmatch(r"(weight|tensor)_\d+", payload["path_name"]):
            raise TeacherError(
                f"{path}: {name!r} is stored as a pickle ({payload['path_name']}), which could run "
                "code; export a program whose weights are plain tensors"
            )


def _check_samples(path: Path, content: bytes) -> None:
    """Load the stored example inputs as weights: torch does so too before it falls back."""
    try:
        torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise TeacherError(
            f"{path}: its example inputs hold more than tensors, which could run code; "
            "export it with tensors as example inputs"
        ) from error


def _check_value(path: Path, key: str, value: object) -> None:
    """Check one leaf of the graph: what torch looks up, evaluates or writes into code."""
    if key in ("target", "as_operator") and not _OPERATOR.fullmatch(str(value)):
        raise TeacherError(f"{path}: calls {value!r}, which is not one of torch's tensor operators")
    if key == "expr_str" and not _is_expression(str(value)):
        raise TeacherError(f"{path}: has {str(value)[:60]!r} as a size, which is no expression")
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
    """Yield all leaves of parsed JSON with their key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, key)
    else:
        yield key, value
