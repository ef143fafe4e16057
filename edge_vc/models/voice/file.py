"""A voice's weights as a file: float16 safetensors that include their configuration."""

from __future__ import annotations

import json
from pathlib import Path

from edge_vc.models.voice.config import VoiceConfig
from edge_vc.models.voice.network import VoiceNetwork
from edge_vc.models.weights_bytes import weights_bytes
from edge_vc.models.weights_file import opened_weights
from edge_vc_runtime.files.writing import write_whole

KEY = "voice_config"
"""Metadata key of the configuration."""
_FORMER_KEY, _FORMER_TENSOR = "config", "voice.weight"
"""Metadata key and tensor of the weights of former teachers, which learnt contents themselves."""


class FormerTeacherError(ValueError):
    """Weights of a former teacher, which learnt contents; one line to follow the file's name."""


def save_voice(network: VoiceNetwork, path: str | Path, facts: dict[str, str]) -> Path:
    """Store the weights as float16 with their configuration and ``facts``, atomically."""
    weights = {
        name: value.half().cpu().contiguous() for name, value in network.state_dict().items()
    }
    said = {KEY: json.dumps(network.config.to_dict()), **facts}
    return write_whole(path, weights_bytes(weights, said))


def voice_contents(path: str | Path) -> str:
    """Return the content encoder that a voice's weights name; empty for other weights."""
    with opened_weights(path) as file:
        said = json.loads((file.metadata() or {}).get(KEY, "{}"))
    return str(said.get("contents", "")) if isinstance(said, dict) else ""


def load_voice(path: str | Path) -> VoiceNetwork:
    """Load what `save_voice` stored.

    Raises `FormerTeacherError` for weights of a former teacher, `ValueError` for other ones.
    """
    with opened_weights(path) as file:
        said = file.metadata() or {}
        if _FORMER_KEY in said and _FORMER_TENSOR in file.keys():  # noqa: SIM118
            raise FormerTeacherError(
                "is of a teacher that learnt contents from many speakers; commit 2ab240d is the "
                "last that reads it; train a voice instead: edge-vc train teacher --target FOLDER"
            )
        if KEY not in said:
            raise ValueError("no weights of a voice")
        config = VoiceConfig(**json.loads(said[KEY]))
        weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    network = VoiceNetwork(config)
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)
