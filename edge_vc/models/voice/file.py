"""A voice's weights as a file: float16 safetensors that carry their configuration."""

from __future__ import annotations

import json
from pathlib import Path

from edge_vc.models.voice.config import VoiceConfig
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.models.weights_bytes import weights_bytes
from edge_vc.models.weights_file import opened_weights
from edge_vc_runtime.files.writing import write_whole

KEY = "voice_config"
"""Metadata key of the configuration; a teacher with contents of its own has ``config``."""


def save_voice(network: VoiceNetwork, path: str | Path, facts: dict[str, str]) -> Path:
    """Store the weights as float16 with their configuration and ``facts``; whole or not at all."""
    weights = {
        name: value.half().cpu().contiguous() for name, value in network.state_dict().items()
    }
    said = {KEY: json.dumps(network.config.to_dict()), **facts}
    return write_whole(path, weights_bytes(weights, said))


def is_voice(path: str | Path) -> bool:
    """Whether a safetensors file holds what `save_voice` stored."""
    with opened_weights(path) as file:
        return KEY in (file.metadata() or {})


def voice_contents(path: str | Path) -> str:
    """Return the content encoder that a voice's weights name; empty for other weights."""
    with opened_weights(path) as file:
        said = json.loads((file.metadata() or {}).get(KEY, "{}"))
    return str(said.get("contents", "")) if isinstance(said, dict) else ""


def load_voice(path: str | Path) -> VoiceNetwork:
    """Load what `save_voice` stored."""
    with opened_weights(path) as file:
        config = VoiceConfig(**json.loads(file.metadata()[KEY]))
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    network = VoiceNetwork(config)
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)
