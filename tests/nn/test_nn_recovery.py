"""The eleventh invariant: one loud event is forgotten within two seconds, in every layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from nn_cases import CASES, Case
from shipped_models import shipped_engines
from torch import Tensor

from edge_vc.assets import ASSETS, bundle_path
from edge_vc.compress.quantization.ptq import quantize
from edge_vc.models.student.file import load_student
from edge_vc.models.student.student import Student
from edge_vc.nn import RecoveringMean, StreamingLayer
from edge_vc_runtime import Session
from edge_vc_runtime.live.offline import convert_array

RATE = 16_000
FRAMES = 100
"""In a second, of layers that take frames."""
APART = ("running-mean", "recovering-mean", "following-mean")
"""Only older files have the first; the second is for the energies of speech, as tested below; the
third follows a bounded log F0, not a level, with weights within 0..1."""
LAYERS = [case for case in CASES if "student" not in case.name and case.name not in APART]
slow = pytest.mark.slow
QUICK = {("kathleen-base", "litert", "int8"), ("kathleen-nano", "onnx", "int8")}
"""Bundles, engines and precisions that the default suite tries."""
NATS = 0.2302585
"""Log power of a decibel."""


def syllables(seconds: float, rate: int) -> Tensor:
    """Gains ``[seconds * rate]`` of four syllables a second with a pause after every fifth."""
    time = torch.arange(round(seconds * rate)) / rate
    voiced = (time % 1.5) < 1.25
    return voiced * torch.sin(torch.pi * 4 * time).square() + 1e-3


def speech(seconds: float) -> Tensor:
    """A buzz with syllables at -26 dBFS over quiet noise, ``[1, 1, 1, T]``."""
    generator = torch.Generator().manual_seed(3)
    time = torch.arange(round(seconds * RATE)) / RATE
    pitch = 140 + 20 * torch.sin(2 * torch.pi * 0.7 * time)
    phase = 2 * torch.pi * torch.cumsum(pitch / RATE, 0)
    buzz = torch.stack([torch.sin(phase * k) / k for k in range(1, 40)]).sum(0)
    noise = torch.randn(len(time), generator=generator)
    audio = (buzz + 0.2 * noise) * syllables(seconds, RATE)
    audio = audio / audio.square().mean().sqrt() * 0.05 + 1e-4 * noise
    return audio.reshape(1, 1, 1, -1)


def noise(seconds: float) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    return 2 * torch.rand(1, 1, 1, round(seconds * RATE), generator=generator) - 1


def knocks() -> Tensor:
    """Six bangs of 0.1 s in three seconds."""
    bangs = noise(3.0)
    bangs[..., torch.arange(3 * RATE) % (RATE // 2) > RATE // 10] = 0
    return bangs


EVENTS = {
    "a bang": noise(0.1),
    "a bang on a pipe": torch.sign(torch.sin(torch.arange(1600) * 0.2)).reshape(1, 1, 1, -1),
    "six knocks": knocks(),
    "a second of noise": noise(1.0),
    "ten seconds of noise": noise(10.0),
    "ten seconds of shouting": (speech(10.0) * 40).clamp(-1, 1),
}


def changes_db(layer: StreamingLayer, event: Tensor, ordinary: Tensor, unit: int) -> Tensor:
    """How much louder stretches of ``unit`` frames of ``ordinary`` come out after ``event``."""
    with torch.no_grad():
        _, state = layer.step(event, layer.init_state(1))
        after, _ = layer.step(ordinary, state)
        levels = [y.split(unit, dim=-1) for y in (after, layer(ordinary))]
    after_db, usual_db = (
        10 * torch.log10(torch.stack([part.square().mean() for part in parts]) + 1e-12)
        for parts in levels
    )
    return after_db - usual_db


@pytest.mark.parametrize("seconds", [0.1, 10.0])
@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.name)
def test_a_layer_is_back_two_seconds_after_something_loud(case: Case, seconds: float) -> None:
    """Two seconds are 200 frames, or blocks of layers that take audio."""
    layer = case.build()
    event = case.noise(layer, round(seconds * FRAMES), seed=2) + 30 * case.scale
    ordinary = case.noise(layer, 4 * FRAMES)
    second = int(FRAMES * layer.block * layer.ratio)
    found = changes_db(layer, event, ordinary, second)
    assert found[2:].abs().max() < 3.0, found


def frames(seconds: float) -> Tensor:
    """Log powers ``[1, 12, 1, F]`` of speech around zero, its pauses thirty decibels lower."""
    generator = torch.Generator().manual_seed(5)
    level = torch.log(syllables(seconds, FRAMES))
    return (level + 0.5 * torch.randn(1, 12, 1, len(level), generator=generator)).float()


@pytest.mark.parametrize("seconds", [0.1, 1.0, 10.0])
def test_the_mean_is_back_two_seconds_after_something_loud(seconds: float) -> None:
    layer, ordinary = RecoveringMean(12), frames(4.0)
    loud = (40 * NATS + 0.5 * torch.randn(1, 12, 1, round(seconds * FRAMES))).float()
    with torch.no_grad():
        _, state = layer.step(loud, layer.init_state(1))
        after, _ = layer.step(ordinary, state)
        off = (after - layer(ordinary)).abs().amax(dim=1).flatten() / NATS
    assert off[200:].max() < 3.0


def shipped(channel_norm: str) -> Student:
    """The shipped weights behind either running mean."""
    gated = load_student(ASSETS / "kathleen-base.safetensors")
    student = Student(replace(gated.config, channel_norm=channel_norm))
    student.load_state_dict(gated.state_dict())
    return student.eval()


@pytest.mark.parametrize(
    "event",
    [
        pytest.param(
            event, marks=[] if event in ("six knocks", "ten seconds of shouting") else slow
        )
        for event in EVENTS
    ],
)
def test_a_student_is_back_two_seconds_after_something_loud(event: str) -> None:
    found = changes_db(shipped("recovering"), EVENTS[event], speech(5.0), RATE)
    assert found[2:].abs().max() < 3.0, found


@slow
@pytest.mark.parametrize("event", EVENTS)
def test_an_int8_student_is_back_as_well(event: str) -> None:
    student = quantize(shipped("recovering"), [speech(5.0)])
    found = changes_db(student, EVENTS[event], speech(5.0), RATE)
    assert found[2:].abs().max() < 3.0, found


SHIPPED = [
    pytest.param(
        name,
        engine,
        precision,
        marks=[] if (name, engine, precision) in QUICK else slow,
        id=f"{name} {engine} {precision}",
    )
    for name, precision, engine in shipped_engines()
]


@pytest.mark.parametrize(("name", "engine", "precision"), SHIPPED)
def test_what_ships_is_back_two_seconds_after_anything_loud(
    name: str, engine: str, precision: str
) -> None:
    session = Session.open(bundle_path(name), engine, precision=precision)
    ordinary = speech(5.0).numpy().reshape(-1)
    usual = convert_array(session, ordinary)
    for event, sound in EVENTS.items():
        before = sound.numpy().reshape(-1)
        after = convert_array(session, np.concatenate([before, ordinary]))[len(before) :]
        for start in range(2 * RATE, 5 * RATE, RATE):
            part = slice(start, start + RATE)
            change = np.square(after[part]).mean() / np.square(usual[part]).mean()
            assert abs(10 * np.log10(change)) < 3.0, (event, start / RATE)


def test_a_gated_mean_takes_longer() -> None:
    """What the invariant is about, and what files of before it still do."""
    event, ordinary = EVENTS["ten seconds of noise"], speech(5.0)
    off = {}  # nats
    for norm in ("gated", "recovering"):
        frontend = shipped(norm).frontend
        with torch.no_grad():
            after = frontend(torch.cat([event, ordinary], -1))[..., -ordinary.shape[-1] // 160 :]
            off[norm] = (after - frontend(ordinary))[..., 200:].abs().mean()
    assert 8 * off["recovering"] < off["gated"], off
