from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from edge_vc.compress import run as compress_run
from edge_vc.training.contents import run as contents_run
from edge_vc.training.denormals import flushed_denormals
from edge_vc.training.student import run as student_run
from edge_vc.training.voice import run as voice_run


class SeenError(Exception):
    """Raised by the first thing that a training calls."""


def flushes() -> bool:
    return bool(torch.tensor(1e-39) * 1.0 == 0)


@pytest.fixture(autouse=True)
def supported() -> None:
    if not torch.set_flush_denormal(False):
        pytest.skip("this processor cannot flush denormals")


def test_it_ends_as_it_began() -> None:
    assert not flushes()
    with flushed_denormals():
        assert flushes()
        with flushed_denormals():
            assert flushes()
        assert flushes()
    assert not flushes()
    with pytest.raises(SeenError), flushed_denormals():
        raise SeenError
    assert not flushes()


THREADS = """
import torch
from edge_vc.training.denormals import flushed_denormals
torch.set_num_threads(3)
with flushed_denormals():
    print(bool((torch.full((3_000_000,), 1e-39) * 1.0).any()))
"""


def test_threads_take_it_over_from_the_one_that_starts_them() -> None:
    command = [sys.executable, "-c", THREADS]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("module", "begins", "training"),
    [
        (voice_run, "load_voice_settings", voice_run.train_voice),
        (student_run, "open_weights", student_run.train_student),
        (contents_run, "Corpus", contents_run.train_contents),
        (compress_run, "build_stages", compress_run.compress),
    ],
    ids=["voice", "student", "contents", "compress"],
)
def test_every_training_computes_so(
    module: object,
    begins: str,
    training: Callable[..., object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    seen = []

    def first(*args: object, **more: object) -> object:
        seen.append(flushes())
        raise SeenError

    first.open = first  # type: ignore[attr-defined]
    monkeypatch.setattr(module, begins, first)
    args = SimpleNamespace(
        recipe="", changes=(), budget=None, settings=SimpleNamespace(), threads=1, corpus=tmp_path,
        out=tmp_path, tensorboard=None, teacher=tmp_path,
    )  # fmt: skip
    with pytest.raises(SeenError):
        training(*[args, tmp_path][: 1 + (module is compress_run)])
    assert seen == [True]
    assert not flushes()
