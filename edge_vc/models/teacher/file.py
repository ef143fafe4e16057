"""A teacher's weights as a file: float16 safetensors that carry their configuration."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch

from edge_vc.models.teacher.config import TeacherConfig
from edge_vc.models.teacher.network import TeacherNetwork
from edge_vc.models.weights_bytes import weights_bytes
from edge_vc.models.weights_file import opened_weights
from edge_vc_runtime.files.writing import write_whole

VOICE_SPREAD = 0.3
"""Standard deviation of other voices around the one that a run starts with."""


def save_teacher(network: TeacherNetwork, path: str | Path, facts: dict[str, str]) -> Path:
    """Store the weights as float16 with their configuration and ``facts``; whole or not at all."""
    weights = {
        name: value.half().cpu().contiguous() for name, value in network.state_dict().items()
    }
    said = {"config": json.dumps(network.config.to_dict()), **facts}
    return write_whole(path, weights_bytes(weights, said))


def load_teacher(path: str | Path) -> TeacherNetwork:
    """Load what `save_teacher` stored."""
    with opened_weights(path) as file:
        config = TeacherConfig(**json.loads(file.metadata()["config"]))
        names = file.keys()
        weights = {name: file.get_tensor(name).float() for name in names}
    network = TeacherNetwork(config)
    network.load_state_dict(weights)
    return network


def one_voice(network: TeacherNetwork) -> TeacherNetwork:
    """Return the network with voice 0 only; the embeddings of all other voices are removed."""
    kept = TeacherNetwork(replace(network.config, speakers=1))
    weights = network.state_dict()
    weights["voice.weight"] = weights["voice.weight"][:1]
    kept.load_state_dict(weights)
    return kept


def begin_with(network: TeacherNetwork, start: TeacherNetwork) -> None:
    """Give ``network`` the weights of ``start``, whose voice 0 every voice begins near.

    Raises `ValueError` where their sizes differ.
    """
    weights = start.state_dict()
    own = weights.pop("voice.weight")[:1]
    weights.pop("units", None)
    mine = {name: value.shape for name, value in network.state_dict().items()}
    odd = [name for name, value in weights.items() if mine.get(name) != value.shape]
    if odd:
        raise ValueError(f"these weights are of another size than the recipe's: {', '.join(odd)}")
    network.load_state_dict(weights, strict=False)
    spread = VOICE_SPREAD * torch.randn_like(network.voice.weight)
    spread[0] = 0
    with torch.no_grad():
        network.voice.weight.copy_(own + spread)
