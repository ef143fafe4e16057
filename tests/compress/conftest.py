"""Speech, a teacher and students small enough for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch
from compress_toys import RATE, TINY, settled, voice

from edge_vc.models.student.student import Student
from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.teachers.default import DefaultTeacher


@pytest.fixture(scope="session")
def tiny_student() -> Student:
    """A student of a few thousand weights; do not change it."""
    return settled(TINY)


@pytest.fixture(scope="session")
def plain_student() -> Student:
    """The same with the plain spectral head: no oscillator carries rounding on."""
    return settled(replace(TINY, head="istft"))


@pytest.fixture(scope="session")
def tiny_teacher(tmp_path_factory) -> Path:
    """The weights of an untrained teacher."""
    torch.manual_seed(0)
    config = TeacherConfig(channels=16, encoder_blocks=2, decoder_blocks=1, heads=2, bottleneck=8)
    network = TeacherNetwork(config)
    # Quiet, with less breath than voice: an answer that is noise throughout is left out.
    harmonic, _, noise = network.head.bands.bias.data.chunk(3)
    harmonic -= 3
    noise -= 8
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    return DefaultTeacher(network).save(path, {})


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory) -> Path:
    """Twelve recordings of two and a half seconds."""
    folder = tmp_path_factory.mktemp("corpus")
    for seed in range(12):
        audio = voice(2.5, 100.0 + 12 * seed, seed)
        soundfile.write(folder / f"{seed:02d}.wav", audio, RATE)
    return folder
