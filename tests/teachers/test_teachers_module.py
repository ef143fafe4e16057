from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from teachers_toys import FACTORY, Darker, darker
from voices import voice

from edge_vc.teachers.loading import open_teacher, teacher_hash
from edge_vc.teachers.module import ModuleSpec
from edge_vc.teachers.spec import TeacherError


@pytest.fixture
def factory(tmp_path: Path) -> Path:
    path = tmp_path / "teacher.py"
    path.write_text(FACTORY)
    return path


def spec(factory: Path, **more: object) -> ModuleSpec:
    return ModuleSpec(factory=f"{factory}:make_teacher", multiple=320, **more)


@pytest.mark.parametrize("form", ["safetensors", "pt", "nested pt"])
def test_weights_are_loaded_into_the_module(factory, tmp_path, form):
    weights = Darker().state_dict()
    path = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pt")
    if form == "safetensors":
        save_file(weights, path)
    else:
        torch.save({"model": weights, "step": 3} if form == "nested pt" else weights, path)
    key = "model" if form == "nested pt" else ""
    teacher = open_teacher(spec(factory, weights=str(path), weights_key=key))
    audio = voice(0.5)[:7777]
    np.testing.assert_allclose(teacher.convert(audio), darker(audio), atol=1e-6)


def test_a_module_that_is_installed_is_found_by_name():
    teacher = open_teacher(ModuleSpec(factory="torch.nn:Identity"))
    audio = voice(0.5)
    np.testing.assert_array_equal(teacher.convert(audio), audio)


@pytest.mark.parametrize("shape", ["T", "1,T", "1,1,T"])
def test_audio_comes_in_the_shape_that_was_asked_for(tmp_path, shape):
    path = tmp_path / "shapes.py"
    path.write_text(
        "from torch import nn\n"
        "class Looks(nn.Module):\n"
        f"    def forward(self, x):\n        assert x.ndim == {shape.count(',') + 1}\n"
        "        return x, 'more'\n"
    )
    teacher = open_teacher(ModuleSpec(factory=f"{path}:Looks", shape=shape))
    assert teacher.convert(voice(0.5)).shape == (8000,)


def test_the_hash_sees_code_and_weights(factory, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file(Darker().state_dict(), path)
    hashes = {teacher_hash(spec(factory, weights=str(path)))}
    save_file(Darker(0.7).state_dict(), path)
    hashes.add(teacher_hash(spec(factory, weights=str(path))))
    factory.write_text(FACTORY + "\n")
    hashes.add(teacher_hash(spec(factory, weights=str(path))))
    assert len(hashes) == 3


class Payload:
    """Writes a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_weights_that_hold_code_are_refused_and_not_run(factory, tmp_path):
    buffer, marker = io.BytesIO(), tmp_path / "ran"
    torch.save({"filter.weight": Payload(marker)}, buffer)
    (tmp_path / "bad.pt").write_bytes(buffer.getvalue())
    with pytest.raises(TeacherError, match="holds more than weights"):
        open_teacher(spec(factory, weights=str(tmp_path / "bad.pt")))
    assert not marker.exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"factory": "teacher"}, "write package.module:function or file.py:function"),
        ({"factory": "none.py:make"}, "none.py does not exist"),
        ({"factory": "no_such_package:make"}, "no module no_such_package is installed"),
        ({"factory": "FILE:nothing"}, "AttributeError"),
        ({"factory": "FILE:make_number"}, "returned int, an nn.Module is needed"),
        ({"factory": "FILE:make_trouble"}, "OSError: no such disk"),
        ({"weights": "none.pt"}, "no such file"),
        ({"weights": "FILE"}, "holds more than weights"),
    ],
)
def test_what_cannot_be_opened_is_one_line(factory, given, words):
    values = {"factory": f"{factory}:make_teacher"} | given
    values = {key: value.replace("FILE", str(factory)) for key, value in values.items()}
    with pytest.raises(TeacherError, match=words) as caught:
        open_teacher(ModuleSpec(**values))
    assert "\n" not in str(caught.value)


def test_weights_of_another_module_are_named(factory, tmp_path):
    save_file({"other": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(TeacherError, match=r'Missing key.*"filter\.weight"'):
        open_teacher(spec(factory, weights=str(tmp_path / "w.safetensors")))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_missing_gpu_is_said(factory):
    with pytest.raises(TeacherError, match="torch finds no GPU here"):
        open_teacher(spec(factory, device="cuda"))
