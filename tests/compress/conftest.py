"""Speech, a teacher and students small enough for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch
from compress_toys import RATE, TINY, settled, voice

from edge_vc.models.content.hama import HamaEncoder
from edge_vc.models.student.student import Student
from edge_vc.models.voice.config import VoiceConfig
from edge_vc.models.voice.file import save_voice
from edge_vc.models.voice.network import VoiceNetwork


@pytest.fixture(scope="session")
def tiny_student() -> Student:
    """A student of a few thousand weights; do not change it."""
    return settled(TINY)


@pytest.fixture(scope="session")
def plain_student() -> Student:
    """The same with the plain spectral head: no oscillator carries rounding on."""
    return settled(replace(TINY, head="istft"))


@pytest.fixture(scope="session")
def tiny_voice() -> Callable[[float], VoiceNetwork]:
    """Return what makes an untrained voice, by so many nats quieter than usual."""

    def make(quieter: float = 0.0) -> VoiceNetwork:
        torch.manual_seed(0)
        network = VoiceNetwork(
            VoiceConfig(
                contents="hama",
                content_width=HamaEncoder.width,
                channels=16,
                bottleneck=8,
                blocks_before=1,
                blocks_after=1,
            )
        )
        # Quiet, with less breath than voice: an answer that is noise throughout is left out.
        harmonic, _, noise = network.head.bands.bias.data.chunk(3)
        harmonic -= 3 + quieter
        noise -= 8 + quieter
        return network

    return make


@pytest.fixture(scope="session")
def tiny_teacher(tmp_path_factory, tiny_voice) -> Path:
    """The weights of an untrained teacher."""
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    return save_voice(tiny_voice(), path, {})


@pytest.fixture(scope="session")
def tiny_corpus(tmp_path_factory) -> Path:
    """Twelve recordings of two and a half seconds."""
    folder = tmp_path_factory.mktemp("corpus")
    for seed in range(12):
        audio = voice(2.5, 100.0 + 12 * seed, seed)
        soundfile.write(folder / f"{seed:02d}.wav", audio, RATE)
    return folder
