"""A user's ``nn.Module`` as a teacher."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from edge_vc.audio.io import Samples
from edge_vc.settings.field import choice, number
from edge_vc.settings.paths import file_of_factory, path_field
from edge_vc.teachers.kind import TeacherKind
from edge_vc.teachers.spec import TeacherError, WaveformSpec, given_file
from edge_vc.teachers.waveform_teacher import WaveformTeacher

if TYPE_CHECKING:
    from torch import Tensor, nn

SHAPES = {"1,T": (1, -1), "1,1,T": (1, 1, -1), "T": (-1,)}


@dataclass(frozen=True)
class ModuleSpec(WaveformSpec):
    """An ``nn.Module`` of the user's: a float tensor of audio in, one out."""

    kind: str = choice("module", "module")
    factory: str = path_field(needed=True, example="teacher.py:make_teacher", parts=file_of_factory)
    """``package.module:function`` or ``path/to/file.py:function``, called without arguments."""
    weights: str = path_field()
    """``.safetensors``, or what ``torch.load(weights_only=True)`` reads; empty: none."""
    weights_key: str = ""
    """Key of the state dict in the file, such as ``model``; empty: the file is a state dict."""
    shape: str = choice("1,T", *SHAPES)
    multiple: int = number(1, 1, 10_000_000, "samples")
    """The input is padded with silence to a multiple of this."""
    device: str = choice("cpu", "cpu", "cuda")
    passing: ClassVar[tuple[str, ...]] = ("device",)


def load(spec: ModuleSpec) -> WaveformTeacher:
    """Build the module, load its weights, and wrap it; raises `TeacherError`."""
    import torch

    module = _build(spec)
    if spec.weights:
        try:
            module.load_state_dict(_state_dict(spec))
        except RuntimeError as error:
            fact = " ".join(str(error).split())[:300]
            raise TeacherError(f'teacher.weights = "{spec.weights}": {fact}') from error
    module = usable(module, spec.device)

    def call(audio: Samples) -> NDArray[np.generic]:
        given = torch.from_numpy(audio).reshape(SHAPES[spec.shape]).to(spec.device)
        with torch.no_grad():
            return first_tensor(module(given)).cpu().numpy()

    return WaveformTeacher(call, spec.sample_rate, spec.output_sample_rate, multiple=spec.multiple)


def sources(spec: ModuleSpec) -> list[Path]:
    """Return the file with the factory and the file with the weights."""
    files = [_source_file(spec)]
    return [*files, given_file(spec, "weights")] if spec.weights else files


def usable(module: nn.Module, device: str) -> nn.Module:
    """Return ``module`` on a device, for inference; raises `TeacherError` without the device."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise TeacherError('teacher.device = "cuda": torch finds no GPU here; use "cpu"')
    return module.requires_grad_(False).to(device)


def first_tensor(output: object) -> Tensor:
    """Return an output that is a tensor, or the first of several; raises `TeacherError`."""
    from torch import Tensor

    first = output[0] if isinstance(output, (tuple, list)) and output else output
    if not isinstance(first, Tensor):
        raise TeacherError(f"the teacher returned {type(first).__name__}, a tensor is needed")
    return first


def _build(spec: ModuleSpec) -> nn.Module:
    from torch import nn

    name, _, function = spec.factory.rpartition(":")
    where = f'teacher.factory = "{spec.factory}"'
    try:
        module = _import(name, _source_file(spec))
        built = getattr(module, function)()
    # Any exception of the user's code is shown to the user.
    except Exception as error:
        if isinstance(error, TeacherError):
            raise
        raise TeacherError(f"{where}: {type(error).__name__}: {_one_line(error)}") from error
    if not isinstance(built, nn.Module):
        raise TeacherError(f"{where}: returned {type(built).__name__}, an nn.Module is needed")
    return built.eval()


def _source_file(spec: ModuleSpec) -> Path:
    name, _, function = spec.factory.rpartition(":")
    where = f'teacher.factory = "{spec.factory}"'
    if not name or not function.isidentifier():
        raise TeacherError(f"{where}: write package.module:function or file.py:function")
    if name.endswith(".py"):
        path = Path(name)
        if not path.is_file():
            raise TeacherError(f"{where}: {path} does not exist")
        return path
    try:
        found = find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is None or found.origin is None:
        raise TeacherError(
            f"{where}: no module {name} is installed; a file is path/to/file.py:name"
        )
    return Path(found.origin)


def _import(name: str, path: Path) -> ModuleType:
    if not name.endswith(".py"):
        return import_module(name)
    found = spec_from_file_location(path.stem, path)
    if found is None or found.loader is None:
        raise TeacherError(f"{path}: cannot be imported")
    module = module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _state_dict(spec: ModuleSpec) -> Mapping[str, Any]:
    import torch
    from safetensors import SafetensorError

    from edge_vc.models.weights_file import opened_weights

    path = given_file(spec, "weights")
    where = f'teacher.weights = "{spec.weights}"'
    try:
        if path.suffix == ".safetensors":
            with opened_weights(path) as file:
                loaded: Any = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        else:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        # torch's own message advises loading the file without the restriction.
        raise TeacherError(
            f"{where}: is damaged, or holds more than weights, which could run code; save the "
            "state dict alone, best as .safetensors"
        ) from error
    if spec.weights_key:
        if not isinstance(loaded, Mapping) or spec.weights_key not in loaded:
            raise TeacherError(f'{where}: has no "{spec.weights_key}" (teacher.weights_key)')
        loaded = loaded[spec.weights_key]
    if not isinstance(loaded, Mapping):
        raise TeacherError(f"{where}: holds a {type(loaded).__name__}, not a state dict")
    return loaded


def _one_line(error: BaseException) -> str:
    return (str(error).splitlines() or ["no reason given"])[0]


KIND = TeacherKind(ModuleSpec, load, sources, code=True)
